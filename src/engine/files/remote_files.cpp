#include "engine/files/remote_files.h"

#include "engine/manifest/files_reader.h"
#include "engine/text/xml_json.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <optional>
#include <utility>

namespace reverse_etl {

namespace {

/// So many bytes of a file are asked for at once, and so many requests are under way ahead of what is used: what is
/// held stays small, and at 50 ms an answer still 80 MB come in a second.
constexpr std::uint64_t bytes_of_request = 2 << 20;
constexpr std::size_t most_ahead = 2;
/// A page of a list is a thousand files, a name a kilobyte at most.
constexpr std::size_t longest_list = 8 << 20;

/// The members of an answer: an array's, or the one that stands there in place of it.
std::vector<simdjson::dom::element> members_at(simdjson::dom::element root, const std::string &pointer) {
    std::vector<simdjson::dom::element> members;
    const auto found = at(root, pointer);
    simdjson::dom::array several;
    if (found && found->get(several) == simdjson::SUCCESS)
        for (const simdjson::dom::element one : several)
            members.push_back(one);
    else if (found && !found->is_null())
        members.push_back(*found);
    return members;
}

} // namespace

/// One request, until its answer is there.
class RemoteFiles::Step : private JobHandler {
  public:
    Step(const RemoteFiles &files, const RequestTemplate &request, const RequestValues &values)
        : spec_(files_request(request, values)), operation_(files.source_.object, spec_, {}, -1, {}), body_{"", "", ""},
          dispatcher_(operation_, files.line_.transport, files.line_.waiter, files.line_.limiter, files.authenticator_,
                      files.line_.policy) {
        if (files.observer_ != nullptr)
            dispatcher_.report_to(*files.observer_);
        dispatcher_.submit(std::make_unique<Job>(Batch(body_)));
        dispatcher_.advance(*this);
    }

    /// Waits for the answer. Throws DestinationError where there is none that is a success.
    Response &answer(const std::string &address) {
        dispatcher_.run(*this);
        if (error_)
            throw DestinationError(error_->fault, address + ": " + error_->what(), error_->detail, error_->hint);
        return response_;
    }

  private:
    void settled(std::unique_ptr<Job>, const Verdict &verdict, Answer &answer) override {
        response_ = answer.response();
        const bool is_only_shown = verdict.action == Action::accept && response_.status == 0;
        if (verdict.action != Action::proceed && !is_only_shown)
            error_.emplace(Fault::stopped, verdict.reason);
    }

    void failed(std::unique_ptr<Job>, const DestinationError &error) override { error_.emplace(error); }

    const OperationSpec spec_;
    const CompiledOperation operation_;
    const BatchFrame body_;
    Dispatcher dispatcher_;
    Response response_;
    std::optional<DestinationError> error_;
};

/// The bytes of a file, in requests for parts of it.
class RemoteFiles::Bytes : public FileBytes {
  public:
    Bytes(const RemoteFiles &files, const FileEntry &file) : files_(files), file_(file) {}

    void begin() override {
        if (asked_ == 0)
            ask();
    }

    bool next(std::string &bytes) override {
        while (steps_.size() < most_ahead + 1 && asked_ < file_.size)
            ask();
        if (steps_.empty())
            return false;
        const std::string address = files_.address(file_.name);
        const std::uint64_t wanted = std::min(bytes_of_request, file_.size - taken_);
        Response answer = std::move(steps_.front()->answer(address));
        steps_.pop_front();
        // A server that knows no parts answers with the whole, which is right where that is what was asked for.
        const bool is_part = answer.status == 206 || (taken_ == 0 && wanted == file_.size);
        if (!is_part)
            throw DestinationError(Fault::unintelligible,
                                   address + ": the answer is the whole file, where a part of it was asked for");
        if (answer.body.size() != wanted)
            throw DestinationError(Fault::unintelligible, address + ": " + std::to_string(wanted) +
                                                              " bytes from byte " + std::to_string(taken_) +
                                                              " on were asked for, and " +
                                                              std::to_string(answer.body.size()) +
                                                              " came: the file was changed while it was read");
        // Some servers do not look at what a request says of the version.
        const std::string *tag = answer.header("etag");
        if (taken_ == 0)
            tag_ = tag == nullptr ? "" : *tag;
        else if (tag != nullptr && !tag_.empty() && *tag != tag_)
            throw DestinationError(Fault::unintelligible, address + ": the file was changed while it was read");
        taken_ += wanted;
        bytes = std::move(answer.body);
        return true;
    }

  private:
    void ask() {
        const std::uint64_t end = std::min(asked_ + bytes_of_request, file_.size);
        steps_.push_back(std::make_unique<Step>(files_, files_.source_.spec.read,
                                                RequestValues{{"name", file_.name},
                                                              {"version", file_.version},
                                                              {"first", std::to_string(asked_)},
                                                              {"last", std::to_string(end - 1)}}));
        asked_ = end;
    }

    const RemoteFiles &files_;
    const FileEntry file_;
    std::uint64_t asked_ = 0, taken_ = 0;
    std::string tag_;                         ///< its ETag by the first answer, RFC 9110 section 8.8.3
    std::deque<std::unique_ptr<Step>> steps_; ///< under way, in the order of their parts
};

RemoteFiles::RemoteFiles(const ConnectorFiles &source, Authenticator &authenticator, const AccountLine &line,
                         RequestObserver *observer)
    : source_(source), authenticator_(authenticator), line_(line), observer_(observer) {}

std::string RemoteFiles::address(const std::string &name) const {
    return source_.object.base_url + "/" + name;
}

FileListing RemoteFiles::list(const std::string &prefix, bool by_folder, const std::string &part) {
    const FilesSpec &spec = source_.spec;
    Step step(*this, spec.list, {{"prefix", prefix}, {"delimiter", by_folder ? "/" : ""}, {"page", part}});
    const std::string where = address(prefix) + "*";
    const Response &answer = step.answer(where);
    if (answer.status == 0)
        return {}; // nothing was sent: it is only shown
    const auto fail = [&](const std::string &what) {
        throw DestinationError(Fault::unintelligible, where + ": the answer is no list of files: " + what);
    };
    if (answer.body.size() > longest_list)
        fail("it is larger than " + std::to_string(longest_list) + " bytes");
    std::string json;
    try {
        json = spec.is_xml ? json_of_xml(answer.body) : answer.body;
    } catch (const std::runtime_error &error) {
        fail(error.what());
    }
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    if (parser.parse(json).get(root) != simdjson::SUCCESS)
        fail("it is not JSON");
    // What a proxy or a login says is no list without files.
    if (!holds(spec.valid_when, root))
        fail("what shows that it is one is missing");
    FileListing listing;
    for (const simdjson::dom::element one : members_at(root, spec.files)) {
        FileEntry file{first_text(one, {spec.name}), 0, spec.version.empty() ? "" : first_text(one, {spec.version})};
        const std::string size = first_text(one, {spec.size});
        const auto read = std::from_chars(size.data(), size.data() + size.size(), file.size);
        if (file.name.empty() || read.ec != std::errc() || read.ptr != size.data() + size.size())
            fail("a file has no name or no size");
        listing.files.push_back(std::move(file));
    }
    if (by_folder)
        for (const simdjson::dom::element one : members_at(root, spec.folders))
            listing.folders.push_back(first_text(one, {spec.folder}));
    listing.next = next_of(at(root, spec.next)).value_or("");
    return listing;
}

std::unique_ptr<FileBytes> RemoteFiles::open(const FileEntry &file) {
    return std::make_unique<Bytes>(*this, file);
}

} // namespace reverse_etl
