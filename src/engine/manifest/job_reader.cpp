#include "engine/manifest/job_reader.h"

#include "engine/manifest/error_rule_reader.h"
#include "engine/manifest/job_result_reader.h"
#include "engine/manifest/operation_merging.h"
#include "engine/manifest/operation_reader.h"
#include "engine/text/headers.h"
#include "engine/text/json.h"
#include "engine/text/lower_case.h"
#include "engine/text/placeholders.h"

#include <algorithm>

namespace reverse_etl {

namespace {

constexpr int most_rows = 100'000;
constexpr int most_bytes = 100'000'000;
constexpr int most_seconds = 3'600;
constexpr int most_hours = 7 * 24;
constexpr const char *of_job = "job.";

using Kind = JobStep::Kind;

/// Directives in which all rows of a request stand.
bool is_of_rows(const std::string &member) {
    return member == "$rows" || member == "$map" || member == "$file";
}

bool has_rows(const Json &body) {
    if (!body.is_structured())
        return false;
    for (const auto &[name, member] : body.items())
        if ((body.is_object() && is_of_rows(name)) || has_rows(member))
            return true;
    return false;
}

/// Placeholders and directives that stand for something of a row.
void check_speaks_of_no_row(const ManifestNode &node) {
    if (node.value().is_string())
        for (const TextPart &part : split_placeholders(node.text()))
            if (part.is_placeholder && (part.text == "key" || part.text == "keys" || part.text == "row_number" ||
                                        part.text.starts_with("row.")))
                node.fail("nothing stands for \"{" + part.text + "}\" here: the request is about all rows of a job");
    if (node.value().is_array())
        for (const ManifestNode &element : node.elements())
            check_speaks_of_no_row(element);
    if (node.value().is_object())
        for (const auto &[name, member] : node.members()) {
            if (name == "$columns" || name == "$number")
                member.fail("must stand within \"$rows\"");
            if (!is_of_rows(name))
                check_speaks_of_no_row(member);
        }
}

void check_no_ids(const ManifestNode &node) {
    if (node.value().is_string())
        for (const TextPart &part : split_placeholders(node.text()))
            if (part.is_placeholder && (part.text == "request.id" || part.text == "entry.id"))
                node.fail("nothing stands for \"{" + part.text + "}\" here: a job is known by what its steps keep");
    if (node.value().is_array())
        for (const ManifestNode &element : node.elements())
            check_no_ids(element);
    if (node.value().is_object())
        for (const auto &[name, member] : node.members())
            check_no_ids(member);
}

int bounded(const ManifestNode &node, int most) {
    const int number = node.positive_integer();
    if (number > most)
        node.fail("must be at most " + std::to_string(most));
    return number;
}

/// Reads the parts of a job one after the other, with the names that the steps before keep.
class JobReader {
  public:
    JobReader(const ManifestNode &operation, const OperationSpec &spec) : operation_(operation), of_operation_(spec) {
        if (operation.unset() != nullptr)
            known_.types = operation.unset()->types;
    }

    std::shared_ptr<JobSpec> read() {
        const ManifestNode job = operation_.at("job");
        job.only(
            {"from", "rows", "bytes", "open", "add", "upload", "close", "poll", "give_up_after", "results", "others"});
        if (job.has("from") != operation_.has("request"))
            job.fail("must say \"from\" how many rows on it takes the place of the \"request\", if there is one");
        if (job.has("from"))
            job_.from = job.at("from").positive_integer();
        if (job.has("rows"))
            job_.rows = bounded(job.at("rows"), most_rows);
        if (job.has("bytes"))
            job_.bytes = static_cast<std::size_t>(bounded(job.at("bytes"), most_bytes));
        if (job.has("add") && job.has("upload"))
            job.at("upload").fail("must not stand beside \"add\": rows get into a job in one way");
        job.at("open");
        for (const auto &[name, kind] : {std::pair("open", Kind::open), std::pair("add", Kind::add),
                                         std::pair("upload", Kind::upload), std::pair("close", Kind::close)})
            if (job.has(name))
                read_step(job.at(name), kind);
        find_decisive(job);
        read_poll(job.at("poll"));
        if (job.has("give_up_after")) {
            job.at("give_up_after").only({"hours"});
            job_.longest = std::chrono::hours(bounded(job.at("give_up_after").at("hours"), most_hours));
        }
        if (job.has("results"))
            for (const ManifestNode &result : job.at("results").elements())
                read_result(result);
        if (job.has("others"))
            job_.others = job.at("others").one_of({"accepted", "rejected"}) == 0 ? Others::accepted : Others::rejected;
        check_tells(job);
        forward_unset();
        return std::make_shared<JobSpec>(std::move(job_));
    }

  private:
    /// A job's requests are about no single row for which something could be tried.
    static Json without_reactions(Json shared) {
        if (shared.is_array())
            for (auto one = shared.begin(); one != shared.end();)
                one = member(*one, "then").is_object() ? shared.erase(one) : one + 1;
        return shared;
    }

    /// What a request says, over what the operation says for all of them.
    Json with_shared(const ManifestNode &node, bool is_elsewhere = false) const {
        Json written = node.value();
        for (const char *name : {"headers", "errors", "rate_limits"}) {
            if (is_elsewhere || !operation_.has(name))
                continue;
            const Json shared = without_reactions(operation_.value().at(name));
            if (!written.contains(name)) {
                written[name] = shared;
            } else if (shared.is_array() && written[name].is_array()) {
                for (const Json &one : shared)
                    written[name].push_back(one);
            }
        }
        return written;
    }

    JobRequest read_request(const ManifestNode &node, Json written, OperationKind kind,
                            std::initializer_list<const char *> others) {
        check_no_ids(node);
        if (node.has("errors"))
            read_error_rules(node.at("errors"));
        for (const char *name : others)
            written.erase(name);
        JobRequest request;
        request.written = std::make_shared<const Json>(std::move(written));
        request.spec = read_operation(ManifestNode(*request.written, node.pointer(), &known_), kind);
        for (const char *name : {"request", "address"})
            if (node.has(name))
                note_names(node.at(name).text());
        note_names_in(*request.written);
        return request;
    }

    void read_step(const ManifestNode &node, Kind kind) {
        node.only({"request", "address", "method", "hosts", "query", "headers", "format", "compress", "omit_null",
                   "body", "rows", "bytes", "errors", "rate_limits", "keep"});
        for (const char *name : {"rows", "bytes"})
            if (node.has(name) && kind != Kind::add)
                node.at(name).fail("is a member of \"add\", which is repeated; those of the job bound all of it");
        JobStep step;
        step.kind = kind;
        const bool is_elsewhere = node.has("address");
        Json written = with_shared(node, is_elsewhere);
        if (is_elsewhere) {
            read_address(node, kind, step);
            written["request"] = node.text("method", "PUT") + " /";
        } else {
            for (const char *name : {"method", "hosts"})
                if (node.has(name))
                    node.at(name).fail("needs an \"address\" beside it");
            node.at("request");
        }
        const bool is_after_decisive = kind == Kind::close;
        names_.clear();
        step.request =
            read_request(node, std::move(written), of_operation_.kind, {"address", "method", "hosts", "keep"});
        if (is_after_decisive)
            job_.lasting.insert(names_.begin(), names_.end());
        step.has_rows = node.has("body") && has_rows(node.at("body").value());
        for (const char *name : {"request", "query", "headers", "body"})
            if (node.has(name))
                check_speaks_of_no_row(node.at(name));
        check_rows(node, step);
        step.request.spec.idempotent = !step.has_rows || of_operation_.idempotent;
        if (node.has("keep"))
            read_keep(node.at("keep"), step);
        job_.steps.push_back(std::move(step));
    }

    /// Rows stand in one of the steps.
    void check_rows(const ManifestNode &node, const JobStep &step) {
        const bool must = step.kind == Kind::add || step.kind == Kind::upload;
        if (must && !step.has_rows)
            node.fail("must have a \"body\" with \"$rows\": by it rows get into the job");
        if (step.has_rows && step.kind == Kind::close)
            node.at("body").fail("must not hold \"$rows\": by then the rows are in the job");
        if (must && job_.steps.front().has_rows)
            node.fail("must not stand beside an \"open\" with \"$rows\": rows get into a job in one way");
    }

    void read_address(const ManifestNode &node, Kind kind, JobStep &step) {
        if (kind != Kind::upload)
            node.at("address").fail("is a member of \"upload\": no other step goes elsewhere");
        if (node.has("request"))
            node.at("request").fail("must not stand beside \"address\"");
        if (node.has("method"))
            node.at("method").one_of({"PUT", "POST"});
        step.address =
            ManifestNode(node.at("address").value(), node.at("address").pointer(), &known_).template_text({});
        const std::optional<std::string> sole = sole_placeholder(step.address);
        if (!sole || !sole->starts_with(of_job))
            node.at("address").fail("must be \"{job.NAME}\", an address that a step before it keeps");
        for (const ManifestNode &host : node.at("hosts").one_or_many()) {
            const std::string name = lower_case(host.literal());
            const std::string_view rest = std::string_view(name).substr(name.starts_with("*.") ? 2 : 0);
            if (rest.empty() || rest.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") != rest.npos ||
                (name.starts_with("*.") && rest.find('.') == rest.npos))
                host.fail("must be the name of a host, or \"*.\" and a domain: \"*.amazonaws.com\"");
            step.hosts.push_back(name);
        }
    }

    void read_keep(const ManifestNode &node, JobStep &step) {
        if (node.members().empty())
            node.fail("must name what is kept of the answer");
        for (const auto &[name, value] : node.members()) {
            if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != name.npos || name.empty() ||
                name[0] < 'a')
                value.fail("must have a name of lower-case letters, digits and \"_\"");
            if (known_.types.contains(of_job + name))
                value.fail("is kept by a step before it");
            KeptValue kept;
            if (value.value().is_object()) {
                value.only({"header"});
                kept.header = lower_case(value.at("header").literal());
                if (!is_token(kept.header))
                    value.at("header").fail("is not named as a header may be: letters, digits and \"-\"");
            } else {
                kept.pointer = value.json_pointer();
            }
            step.keep.emplace(name, std::move(kept));
        }
        // A request that is repeated has as many answers.
        if (step.kind == Kind::add)
            node.fail("must not stand in \"add\", which is repeated");
        for (const auto &[name, kept] : step.keep)
            known_.types[of_job + name] = OptionSpec::Type::text;
    }

    void find_decisive(const ManifestNode &job) {
        const auto with_rows =
            std::find_if(job_.steps.begin(), job_.steps.end(), [](const auto &step) { return step.has_rows; });
        if (with_rows == job_.steps.end())
            job.fail("has no rows: \"$rows\" must stand in the body of \"open\", \"add\" or \"upload\"");
        job_.decisive =
            static_cast<std::size_t>(job_.has_close() ? job_.steps.size() - 1 : with_rows - job_.steps.begin());
        if (with_rows->kind == Kind::add && !job_.has_close() && !of_operation_.idempotent)
            job.at("add").fail("needs a \"close\" beside it in an operation that must not be repeated: what came of "
                               "the first of several requests could not be told");
        if (with_rows->kind != Kind::add)
            return;
        job_.steps[with_rows - job_.steps.begin()].request.spec.rows =
            job.at("add").has("rows") ? with_rows->request.spec.rows : std::min(job_.rows, 10'000);
    }

    void read_poll(const ManifestNode &node) {
        node.only({"request", "query", "headers", "errors", "rate_limits", "every", "done_when", "failed_when",
                   "reason", "outcome"});
        node.at("request");
        names_.clear();
        check_speaks_of_no_row(node.at("request"));
        job_.poll = read_request(node, with_shared(node), OperationKind::list,
                                 {"every", "done_when", "failed_when", "reason", "outcome"});
        if (node.has("outcome"))
            read_job_outcome(node.at("outcome"), job_.poll.spec, false);
        job_.lasting.insert(names_.begin(), names_.end());
        job_.done_when = node.at("done_when").condition();
        if (node.has("failed_when"))
            job_.failed_when = node.at("failed_when").condition();
        if (node.has("reason"))
            job_.reason = node.at("reason").pointers();
        if (node.has("every")) {
            node.at("every").only({"seconds", "up_to"});
            job_.every = std::chrono::seconds(bounded(node.at("every").at("seconds"), most_seconds));
            job_.up_to = job_.every;
            if (node.at("every").has("up_to"))
                job_.up_to = std::chrono::seconds(bounded(node.at("every").at("up_to"), most_seconds));
            if (job_.up_to < job_.every)
                node.at("every").at("up_to").fail("must not be less than \"seconds\"");
        }
    }

    void read_result(const ManifestNode &node) {
        names_.clear();
        for (const char *name : {"request", "query", "headers"})
            if (node.has(name))
                check_speaks_of_no_row(node.at(name));
        JobResult result = read_job_result(node);
        Json written = with_shared(node);
        if (!result.cursor_header.empty())
            written.erase("next");
        result.request = read_request(node, std::move(written),
                                      result.format == ResultFormat::json ? OperationKind::list : OperationKind::create,
                                      {"format", "outcome"});
        result.request.spec.idempotent = true;
        read_job_outcome(node.at("outcome"), result.request.spec, node.has("next"));
        job_.lasting.insert(names_.begin(), names_.end());
        job_.results.push_back(std::move(result));
    }

    /// A job has to say what became of its rows.
    void check_tells(const ManifestNode &job) {
        std::vector<const OperationSpec *> specs = {&job_.poll.spec};
        for (const JobResult &result : job_.results)
            specs.push_back(&result.request.spec);
        bool can_accept = job_.others == Others::accepted;
        for (const OperationSpec *spec : specs)
            for (const ResultSpec &result : spec->results)
                can_accept |= result.can_accept();
        if (!can_accept)
            job.fail("accepts no row: an \"outcome\" of \"poll\" or of \"results\" must, or \"others\"");
    }

    /// Options without a value that a text needs are the operation's to miss; what steps keep is there in time.
    void forward_unset() {
        for (const std::string &name : known_.met)
            if (!name.starts_with(of_job) && operation_.unset() != nullptr)
                operation_.unset()->met.insert(name);
    }

    void note_names(const std::string &text) {
        for (const TextPart &part : split_placeholders(text))
            if (part.is_placeholder && part.text.starts_with(of_job))
                names_.insert(part.text.substr(4));
    }
    void note_names_in(const Json &value) {
        if (value.is_string())
            note_names(value.get<std::string>());
        else if (value.is_structured())
            for (const Json &inner : value)
                note_names_in(inner);
    }

    const ManifestNode &operation_;
    const OperationSpec &of_operation_;
    UnsetOptions known_;          ///< those of the operation, and what the steps so far keep
    std::set<std::string> names_; ///< what the last request needs of it
    JobSpec job_;
};

} // namespace

std::shared_ptr<JobSpec> read_job(const ManifestNode &operation, const OperationSpec &spec) {
    return JobReader(operation, spec).read();
}

OperationSpec request_with(const JobRequest &request, const JobValues &values) {
    return filled_request(request, *request.written, of_job, values);
}

std::string address_with(const JobStep &step, const JobValues &values) {
    return substitute(step.address, [&](const std::string &name) -> std::optional<std::string> {
        auto value = values.find(name.substr(std::string_view(of_job).size()));
        return value == values.end() ? std::nullopt : std::optional(value->second);
    });
}

} // namespace reverse_etl
