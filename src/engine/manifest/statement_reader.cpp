#include "engine/manifest/statement_reader.h"

#include "engine/manifest/dialect_reader.h"
#include "engine/manifest/host_reader.h"
#include "engine/manifest/object_checks.h"
#include "engine/manifest/operation_reader.h"
#include "engine/manifest/source_types_reader.h"
#include "engine/text/json.h"
#include "engine/text/placeholders.h"

#include <algorithm>

namespace reverse_etl {

namespace {

constexpr int most_milliseconds = 3'600'000;
/// The members of a request; all others of its object are the statement's.
constexpr const char *of_request[] = {"request", "query", "headers", "format", "body", "errors", "rate_limits"};

bool has_placeholder(const Json &value, const std::string &name) {
    if (value.is_string())
        for (const TextPart &part : split_placeholders(value.get<std::string>()))
            if (part.is_placeholder && part.text == name)
                return true;
    return value.is_structured() &&
           std::any_of(value.begin(), value.end(), [&](const Json &member) { return has_placeholder(member, name); });
}

int milliseconds(const ManifestNode &node) {
    const int number = node.positive_integer();
    if (number > most_milliseconds)
        node.fail("must be at most " + std::to_string(most_milliseconds));
    return number;
}

/// Reads a statement's requests with the names that they may have in common.
class StatementReader {
  public:
    explicit StatementReader(const ManifestNode &node) : node_(node) {
        if (node.unset() != nullptr)
            known_.types = node.unset()->types;
        for (const char *name : statement_names)
            known_.types.emplace(of_statement + std::string(name), OptionSpec::Type::text);
    }

    StatementSpec read() {
        node_.only({"submit", "keep", "done_when", "failed_when", "reason", "poll", "cancel", "describe", "result",
                    "facts", "dialect", "catalog"});
        if (node_.has("keep"))
            read_keep(node_.at("keep"));
        spec_.submit = read_request(node_.at("submit"), {"answers", "repeated"});
        if (node_.at("submit").has("answers"))
            spec_.answers_when_done = node_.at("submit").at("answers").one_of({"at_once", "when_done"}) == 1;
        if (node_.at("submit").has("repeated"))
            spec_.knows_repeated = node_.at("submit").at("repeated").one_of({"is_known", "begins_another"}) == 0;
        if (!has_placeholder(*spec_.submit.written, "statement.id") ||
            !has_placeholder(*spec_.submit.written, "statement.sql"))
            node_.at("submit").fail("must hold \"{statement.sql}\", and \"{statement.id}\", by which the source knows "
                                    "a repeated one");
        if (node_.has("poll"))
            read_poll(node_.at("poll"));
        if (node_.has("done_when"))
            spec_.done_when = node_.at("done_when").condition();
        if (node_.has("done_when") != node_.has("poll"))
            node_.fail("must have \"done_when\" where it has \"poll\", and only there");
        if (node_.has("failed_when"))
            spec_.failed_when = node_.at("failed_when").condition();
        if (node_.has("reason"))
            spec_.reason = node_.at("reason").pointers();
        if (node_.has("cancel"))
            spec_.cancel = read_request(node_.at("cancel"), {}, true);
        if (node_.has("describe")) {
            spec_.described = node_.at("describe").at("columns").pointers();
            spec_.describe = read_request(node_.at("describe"), {"columns"});
        }
        read_result(node_.at("result"));
        if (node_.has("facts")) {
            node_.at("facts").only({"bytes"});
            for (const auto &[name, at] : node_.at("facts").members())
                if (name != "note")
                    spec_.facts.emplace(name, at.pointers());
        }
        spec_.dialect = read_dialect(node_.at("dialect"));
        if (node_.has("catalog"))
            spec_.catalog = read_source_catalog(node_.at("catalog"));
        forward_unset();
        return std::move(spec_);
    }

  private:
    RequestTemplate read_request(const ManifestNode &node, std::initializer_list<const char *> others,
                                 bool may_delete = false) {
        for (const auto &[name, member] : node.members()) {
            const auto is_this = [&name = name](const char *known) { return name == known; };
            if (name != "note" && std::none_of(std::begin(of_request), std::end(of_request), is_this) &&
                std::none_of(others.begin(), others.end(), is_this))
                member.fail("is no member of a statement's request");
        }
        Json written = Json::object();
        for (const char *name : of_request)
            if (node.has(name))
                written[name] = node.value().at(name);
        node.at("request");
        if (node.has("body"))
            check_directives(node.at("body"));
        if (node.has("query"))
            check_directives_of_query(node.at("query"));
        RequestTemplate request;
        request.written = std::make_shared<const Json>(std::move(written));
        const Json sample = with_parameters(*request.written, {{"type", "value"}}, {});
        const ManifestNode whole(sample, node.pointer(), &known_);
        check_placeholders_fit(whole, OperationKind::list);
        request.spec = read_operation(whole, OperationKind::list);
        if (request.spec.method != "GET" && request.spec.method != "POST" &&
            !(may_delete && request.spec.method == "DELETE"))
            node.at("request").fail(std::string("its method must be GET or POST") + (may_delete ? ", or DELETE" : ""));
        return request;
    }

    void read_keep(const ManifestNode &node) {
        for (const auto &[name, at] : node.members()) {
            if (name == "$note")
                continue;
            if (name.empty() || name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") != name.npos ||
                known_.types.contains(of_statement + name))
                at.fail("must have a name of lower-case letters that is none of the engine's: id, sql, seconds, "
                        "milliseconds, tag, label, schema, page");
            spec_.keep.emplace(name, at.pointers());
            known_.types.emplace(of_statement + name, OptionSpec::Type::text);
        }
    }

    void read_poll(const ManifestNode &node) {
        spec_.poll = read_request(node, {"every"});
        if (node.has("every"))
            spec_.pause = read_pause(node.at("every"));
    }

    static StatementPause read_pause(const ManifestNode &node) {
        node.only({"milliseconds", "up_to"});
        StatementPause pause;
        pause.every = Milliseconds(milliseconds(node.at("milliseconds")));
        pause.up_to = pause.every;
        if (node.has("up_to"))
            pause.up_to = Milliseconds(milliseconds(node.at("up_to")));
        if (pause.up_to < pause.every)
            node.at("up_to").fail("must not be less than \"milliseconds\"");
        return pause;
    }

    void read_result(const ManifestNode &node) {
        StatementResultSpec &result = spec_.result;
        if (node.has("request"))
            result.request = read_request(node, {"inline", "columns", "name", "types", "rows", "cells", "cell", "skip",
                                                 "next", "link", "while_running"});
        else
            node.only({"columns", "name", "types", "rows", "cells", "cell", "skip", "next", "inline", "link"});
        result.is_inline = node.flag("inline", !node.has("request"));
        if (!result.is_inline && !node.has("request"))
            node.at("inline").fail("must be true where there is no \"request\"");
        result.columns = node.at("columns").pointers();
        result.name = node.has("name") ? node.at("name").json_pointer() : "/name";
        result.types = read_source_types(node.at("types"));
        result.rows = node.at("rows").pointers();
        if (node.has("cells"))
            result.cells = node.at("cells").json_pointer();
        if (node.has("cell"))
            result.cell = node.at("cell").pointers();
        if (node.has("skip"))
            result.skip = static_cast<std::size_t>(node.at("skip").positive_integer());
        if (node.has("next"))
            read_next(node.at("next"), node);
        if (node.has("link"))
            result.link = read_link(node.at("link"));
        if (!node.has("while_running"))
            return;
        if (result.next == StatementResultSpec::Next::nothing || !result.is_inline)
            node.at("while_running").fail("needs \"next\", and the first page \"inline\": pages follow the submission");
        if (node_.has("poll") || result.link)
            node.at("while_running").fail("means nothing beside \"poll\" and \"link\"");
        result.while_running = read_pause(node.at("while_running"));
    }

    static ResultLink read_link(const ManifestNode &node) {
        node.only({"at", "headers", "hosts", "rows"});
        ResultLink link;
        if (node.has("rows"))
            link.rows = node.at("rows").pointers();
        link.at = node.at("at").pointers();
        if (node.has("headers"))
            link.headers = node.at("headers").pointers();
        for (const ManifestNode &host : node.at("hosts").one_or_many())
            link.hosts.push_back(read_host(host));
        if (link.hosts.empty())
            node.at("hosts").fail("must name at least one host");
        return link;
    }

    void read_next(const ManifestNode &node, const ManifestNode &of_result) {
        using Next = StatementResultSpec::Next;
        node.only({"number", "cursor", "url"});
        if (node.value().size() != 1)
            node.fail("must have one of \"number\", \"cursor\" and \"url\"");
        StatementResultSpec &result = spec_.result;
        for (const auto &[name, kind] :
             {std::pair("number", Next::number), std::pair("cursor", Next::cursor), std::pair("url", Next::url)})
            if (node.has(name)) {
                result.next = kind;
                result.next_at = node.at(name).pointers();
            }
        const bool names_page = of_result.has("request") && has_placeholder(*result.request.written, "statement.page");
        if (result.next != Next::url && !names_page)
            node.fail("needs {statement.page} in the request of the result, or every page would be the first");
        if (!of_result.has("request"))
            node.fail("needs the request of a page");
    }

    /// Options without a value that a text needs are missed when the statement is run.
    void forward_unset() {
        for (const std::string &name : known_.met)
            if (!name.starts_with(of_statement) && node_.unset() != nullptr)
                node_.unset()->met.insert(name);
    }

    const ManifestNode &node_;
    UnsetOptions known_; ///< options, and what stands for a part of the statement
    StatementSpec spec_;
};

} // namespace

void add_statement_options(const ManifestNode &manifest, std::vector<OptionSpec> &options) {
    for (const char *name : {"query", "schema_name"}) {
        if (std::any_of(options.begin(), options.end(), [&](const OptionSpec &one) { return one.name == name; }))
            manifest.at("options").at(name).fail("must have another name: beside \"statement\" this one has a meaning");
        OptionSpec option;
        option.name = name;
        options.push_back(std::move(option));
    }
    OptionSpec &query = options[options.size() - 2];
    query.type = OptionSpec::Type::query;
    query.description = "the source's own SQL, whose rows are the table's; without it they are those of the object";
    options.back().description = "where the source has the object, if not where the server says";
}

StatementSpec read_statement(const ManifestNode &node) {
    return StatementReader(node).read();
}

OperationSpec statement_request(const RequestTemplate &request, const RequestValues &values,
                                const std::vector<StatementParameter> &parameters) {
    return filled_request(request, with_parameters(*request.written, parameters, values), of_statement, values);
}

} // namespace reverse_etl
