#pragma once

#include "engine/manifest/request_template.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace reverse_etl {

/// A request of a job: a template of values that steps before it kept, {job.NAME}.
using JobRequest = RequestTemplate;

/// Where in a step's answer a value stands that later requests need.
struct KeptValue {
    std::string pointer; ///< in its body
    std::string header;  ///< in lower case; "": it stands in the body
};

/// A request by which rows get into a job.
struct JobStep {
    enum class Kind { open, add, upload, close } kind = Kind::open;
    JobRequest request;
    bool has_rows = false;
    std::map<std::string, KeptValue> keep; ///< by name
    std::string address;                   ///< of an upload to elsewhere: a template of a URL; "" for none
    std::vector<std::string> hosts;        ///< where that may be
};

/// How a text with what became of rows is written.
enum class ResultFormat { json, ndjson, csv };

/// A request whose answer, page by page, tells what became of a job's rows.
struct JobResult {
    JobRequest request; ///< its spec's `results` pair entries with rows
    ResultFormat format = ResultFormat::json;
    std::string cursor_header; ///< in lower case: of the next page's cursor; "": `next` of the spec says how it goes on
};

/// Rows that are handed over to a destination which sees to them in its own time.
struct JobSpec {
    int from = 0;                 ///< from so many rows on, where there is a request, too; 0: always
    int rows = 10'000;            ///< most of a job
    std::size_t bytes = 10 << 20; ///< most of a job, about
    std::vector<JobStep> steps;   ///< in order
    /// The step at which the destination begins to do something with the rows.
    std::size_t decisive = 0;

    JobRequest poll; ///< its spec's `results`, if there are any, are read from the answer that says that it is done
    Condition done_when, failed_when;
    Pointers reason; ///< of a job that failed
    std::chrono::seconds every{5}, up_to{60};
    std::chrono::hours longest{24}; ///< after that it is given up

    std::vector<JobResult> results;
    Others others = Others::unknown; ///< rows of which no result speaks

    /// What steps keep that is needed behind the decisive one.
    std::set<std::string> lasting;

    bool has_close() const { return steps.back().kind == JobStep::Kind::close; }
    const JobStep &step_with_rows() const {
        return *std::find_if(steps.begin(), steps.end(), [](const JobStep &step) { return step.has_rows; });
    }
};

/// All that a job asks of its destination.
template <class Use>
void for_each_request(JobSpec &job, Use &&use) {
    for (JobStep &step : job.steps)
        use(step.request.spec);
    use(job.poll.spec);
    for (JobResult &result : job.results)
        use(result.request.spec);
}

} // namespace reverse_etl
