#include "engine/manifest/files_reader.h"

#include "engine/manifest/object_checks.h"
#include "engine/manifest/operation_reader.h"
#include "engine/text/json.h"
#include "engine/text/placeholders.h"
#include "engine/text/url_parts.h"

#include <algorithm>

namespace reverse_etl {

namespace {

/// Whether one of the request's texts names the placeholder.
bool names(const Json &value, const std::string &name) {
    if (!value.is_string())
        return value.is_structured() &&
               std::any_of(value.begin(), value.end(), [&](const Json &member) { return names(member, name); });
    const std::vector<TextPart> parts = split_placeholders(value.get<std::string>());
    return std::any_of(parts.begin(), parts.end(),
                       [&](const TextPart &part) { return part.is_placeholder && part.text == name; });
}

class FilesReader {
  public:
    explicit FilesReader(const ManifestNode &node) : node_(node) {
        if (node.unset() != nullptr)
            known_.types = node.unset()->types;
        for (const char *name : files_names)
            known_.types.emplace(of_files + std::string(name), OptionSpec::Type::text);
        known_.types.emplace("files.path", OptionSpec::Type::path);
    }

    FilesSpec read() {
        node_.only({"folder", "list", "read"});
        FilesSpec spec;
        spec.is_folder = node_.flag("folder", false);
        if (spec.is_folder != !(node_.has("list") || node_.has("read")))
            node_.fail("must have \"folder\": true, or \"list\" and \"read\"");
        if (spec.is_folder)
            return spec;
        read_list(node_.at("list"), spec);
        read_bytes(node_.at("read"), spec);
        for (const std::string &name : known_.met)
            if (!name.starts_with(of_files) && node_.unset() != nullptr)
                node_.unset()->met.insert(name);
        return spec;
    }

  private:
    void read_list(const ManifestNode &node, FilesSpec &spec) {
        node.only({"request", "query", "headers", "errors", "rate_limits", "answer", "valid_when", "files", "name",
                   "size", "version", "folders", "folder", "next"});
        spec.list = request_of(node);
        for (const char *name : {"files.prefix", "files.page"})
            if (!names(*spec.list.written, name))
                node.fail("must hold \"{" + std::string(name) + "}\"");
        spec.is_xml = node.has("answer") && node.at("answer").one_of({"json", "xml"}) == 1;
        spec.valid_when = node.at("valid_when").condition();
        spec.files = node.at("files").json_pointer();
        spec.name = node.at("name").json_pointer();
        spec.size = node.at("size").json_pointer();
        spec.next = node.at("next").json_pointer();
        if (node.has("version"))
            spec.version = node.at("version").json_pointer();
        if (node.has("folder") && !node.has("folders"))
            node.at("folder").fail("stands beside \"folders\"");
        const bool has_delimiter = names(*spec.list.written, "files.delimiter");
        if (node.has("folders") != has_delimiter)
            node.fail("must have \"folders\" where its request has \"{files.delimiter}\", and only there");
        if (has_delimiter) {
            spec.folders = node.at("folders").json_pointer();
            spec.folder = node.has("folder") ? node.at("folder").json_pointer() : "";
        }
    }

    void read_bytes(const ManifestNode &node, FilesSpec &spec) {
        node.only({"request", "query", "headers", "errors", "rate_limits"});
        spec.read = request_of(node);
        for (const char *name : {"files.first", "files.last"})
            if (!names(*spec.read.written, name))
                node.fail("must hold \"{" + std::string(name) + "}\": files are read in parts");
        if (!names(*spec.read.written, "files.path") && !names(*spec.read.written, "files.name"))
            node.fail("must hold \"{files.path}\" or \"{files.name}\"");
    }

    RequestTemplate request_of(const ManifestNode &node) {
        Json written = Json::object();
        for (const char *name : {"request", "query", "headers", "errors", "rate_limits"})
            if (node.has(name))
                written[name] = node.value().at(name);
        node.at("request");
        RequestTemplate request;
        request.written = std::make_shared<const Json>(std::move(written));
        const ManifestNode whole(*request.written, node.pointer(), &known_);
        check_placeholders_fit(whole, OperationKind::list);
        request.spec = read_operation(whole, OperationKind::list);
        request.spec.takes_any_content = true;
        if (request.spec.method != "GET")
            node.at("request").fail("its method must be GET");
        return request;
    }

    const ManifestNode &node_;
    UnsetOptions known_; ///< options, and what stands for a part of a request
};

/// A name as a part of a path: its slashes stand, and nothing else that has a meaning there.
std::string path_of(const std::string &name) {
    std::string path;
    for (std::size_t begin = 0; begin <= name.size();) {
        const std::size_t end = std::min(name.find('/', begin), name.size());
        const std::string segment = name.substr(begin, end - begin);
        // These would name another folder, however they are written.
        if (segment == "." || segment == "..")
            throw SettingError("the file \"" + name + "\" has a name that no request can have");
        path += (begin == 0 ? "" : "/") + percent_encoded(segment);
        begin = end + 1;
    }
    return path;
}

} // namespace

void add_files_options(const ManifestNode &manifest, std::vector<OptionSpec> &options) {
    for (const char *name : files_options) {
        if (std::any_of(options.begin(), options.end(), [&](const OptionSpec &one) { return one.name == name; }))
            manifest.at("options").at(name).fail("must have another name: beside \"files\" this one has a meaning");
        OptionSpec option;
        option.name = name;
        options.push_back(std::move(option));
    }
    OptionSpec *added = &options[options.size() - std::size(files_options)];
    added[0].description = "the files whose rows are the table's: a pattern with *, **, and {name} for a column whose "
                           "value is a part of their names";
    added[1].one_of = {"csv", "ndjson"};
    added[1].description =
        "how the files are written, where their names do not end in .csv, .tsv, .ndjson, .jsonl or .json";
    added[2].pattern = ".";
    added[2].example = ";";
    added[2].description = "what stands between the cells of CSV: a comma, or a tab in .tsv, if nothing is said";
    added[3].one_of = {"true", "false"};
    added[3].fallback = "true";
    added[3].description = "whether the first line of CSV has the names of the columns";
    added[4].fallback = "";
    added[4].description = "what an unquoted cell of CSV holds that is NULL";
}

FilesSpec read_files(const ManifestNode &node) {
    return FilesReader(node).read();
}

OperationSpec files_request(const RequestTemplate &request, const RequestValues &values) {
    Json written = *request.written;
    for (const char *members : {"query", "headers"}) {
        if (!written.contains(members))
            continue;
        Json kept = Json::object();
        for (const auto &[name, value] : written.at(members).items()) {
            const std::string sole =
                value.is_string() ? sole_placeholder(value.get<std::string>()).value_or("") : std::string();
            const bool is_ours = sole.starts_with(of_files);
            const auto found = is_ours ? values.find(sole.substr(std::string_view(of_files).size())) : values.end();
            if (!is_ours || (found != values.end() && !found->second.empty()))
                kept[name] = value;
        }
        written[members] = std::move(kept);
    }
    RequestValues paths;
    if (const auto name = values.find("name"); name != values.end())
        paths.emplace("path", path_of(name->second));
    OperationSpec spec = filled_request(request, written, of_files, values, paths);
    spec.takes_any_content = true;
    // A file comes as it is kept. Google's store would decompress it, and then knows no parts:
    // https://docs.cloud.google.com/storage/docs/transcoding
    if (values.contains("first"))
        spec.headers.emplace_back("Accept-Encoding", "gzip");
    return spec;
}

} // namespace reverse_etl
