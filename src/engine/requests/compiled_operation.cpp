#include "engine/requests/compiled_operation.h"

#include "engine/requests/body_words.h"
#include "engine/text/json.h"
#include "engine/text/lower_case.h"
#include "engine/text/placeholders.h"

#include <algorithm>

namespace reverse_etl {

namespace {

/// Where a list goes on from its last record, what stands there is asked for, whatever a statement wants: else the
/// record would not have it.
std::vector<std::string> with_what_goes_on(const Object &object, const OperationSpec &spec,
                                           std::vector<std::string> fields) {
    if (spec.kind != OperationKind::list || spec.next.by != PageSpec::By::last)
        return fields;
    const auto ask = [&](const std::string &field, const std::string &read) {
        const bool has_it = !read.empty() && (spec.next.pointer + "/").starts_with(read + "/");
        if (has_it && std::find(fields.begin(), fields.end(), field) == fields.end())
            fields.push_back(field);
    };
    for (const ColumnSpec &column : object.columns)
        ask(column.field, column.read);
    if (!object.id.empty())
        ask(object.id, object.pointer_to(object.id));
    return fields;
}

} // namespace

CompiledOperation::CompiledOperation(const Object &object, const OperationSpec &spec,
                                     std::vector<StatementColumn> columns, int key,
                                     const std::vector<std::string> &fields)
    : object_(object), spec_(spec), references_(std::move(columns), key),
      fields_(with_what_goes_on(object, spec, fields)) {
    if (!spec_.lacks_option.empty())
        throw lacks_option(object_, spec_, spec_.lacks_option);
    if (key >= 0)
        key_field_ = this->columns()[key].field;
    references_.group(object_, spec_);
    has_body_ = spec_.body != nullptr;
    if (has_body_ && spec_.kind != OperationKind::list)
        body_ = BodyCompiler(object_, spec_, fields_, references_).compile();
    one_row_ = body_.one_row;
    set_headers();
    add_id_headers();
    path_ = compile_url(spec_.path, false);
    path_names_row_ = std::any_of(path_.begin(), path_.end(),
                                  [](const UrlSegment &segment) { return segment.kind == UrlSegment::Kind::kept; });
    for (const QueryParameter &parameter : spec_.query) {
        std::vector<std::string> values = {parameter.value};
        if (parameter.repeated && parameter.value == "{fields}")
            values = fields_;
        for (const std::string &value : values) {
            UrlParameter compiled;
            compiled.segments = compile_url(value, true);
            for (const UrlSegment &segment : compiled.segments)
                compiled.needs_cursor |= segment.kind == UrlSegment::Kind::cursor;
            one_row_ |= speaks_of_row(compiled.segments);
            if (parameter.repeated && value == "{keys}")
                compiled.segments.front().text = "&" + percent_encoded(parameter.name) + "=";
            compiled.segments.insert(compiled.segments.begin(),
                                     {UrlSegment::Kind::literal, percent_encoded(parameter.name) + "=", 0});
            query_.push_back(std::move(compiled));
        }
    }
    one_row_ |= speaks_of_row(path_);
    path_names_group_ = path_names_row_ && !speaks_of_row(path_);
    const auto names_row = [](const UrlSegment &segment) {
        return segment.kind == UrlSegment::Kind::kept || segment.kind == UrlSegment::Kind::kept_of_all;
    };
    url_names_row_ = std::any_of(path_.begin(), path_.end(), names_row);
    for (const UrlParameter &parameter : query_)
        url_names_row_ |= std::any_of(parameter.segments.begin(), parameter.segments.end(), names_row);
    for (const RateLimitSpec &limit : spec_.rate_limits) {
        rate_limits_.push_back({limit, compile_url(limit.for_each, true)});
        const bool is_of_group = !grouping().empty() && !speaks_of_row(rate_limits_.back().scope);
        one_row_ |= !limit.for_each.empty() && !is_of_group;
    }
    bool pairs_by_key = false;
    for (const ResultSpec &result : spec_.results)
        for (const Pairing &pairing : result.pairings)
            pairs_by_key |= pairing.by == Pairing::By::key;
    if (key >= 0 && (pairs_by_key || references_.key_names_row() || spec_.kind == OperationKind::lookup))
        kept_key_ = static_cast<int>(references_.keep(key));
    if (references_.key_names_row())
        references_.add_naming(kept_key_);
    if (spec_.kind == OperationKind::lookup)
        keep_names();
}

/// What an answer's records are paired with.
void CompiledOperation::keep_names() {
    if (references_.key() >= 0) {
        names_.push_back({references_.key(), references_.keep(references_.key())});
        return;
    }
    for (const std::string &field : spec_.by_fields.empty() ? object_.key : spec_.by_fields) {
        const int column = references_.use(object_, spec_, "row." + field);
        names_.push_back({column, references_.keep(column)});
    }
}

void CompiledOperation::set_headers() {
    const std::string of_page = spec_.format.kind == BodyKind::form   ? "application/x-www-form-urlencoded"
                                : spec_.format.kind == BodyKind::text ? "text/plain; charset=utf-8"
                                                                      : "application/json";
    set_header(headers_, "Accept", "application/json");
    set_header(headers_, "Content-Type", body_.media_type.empty() ? of_page : body_.media_type);
    for (const Headers *own : {&object_.headers, &spec_.headers})
        for (const auto &[name, value] : *own)
            set_header(headers_, name, value);
    // What separates the parts of a form is in its media type.
    if (spec_.format.kind == BodyKind::multipart)
        set_header(headers_, "Content-Type", body_.media_type);
    if (spec_.format.gzip)
        set_header(headers_, "Content-Encoding", "gzip");
    if (!has_body_)
        std::erase_if(headers_, [](const auto &header) {
            const std::string name = lower_case(header.first);
            return name == "content-type" || name == "content-encoding";
        });
}

/// What a read says of an id is left out: one that a write has as well would have the destination answer with what it
/// read.
void CompiledOperation::add_id_headers() {
    if (is_read_only(spec_.kind))
        return;
    for (const auto *own : {&object_.id_headers, &spec_.id_headers})
        for (const auto &[name, value] : *own)
            if (own == &spec_.id_headers || !has_header(spec_.headers, name))
                set_header(headers_, name, expand(compile_url(value, false), nullptr, "", false));
}

/// Whether something of it is not the same for all rows of a request.
bool CompiledOperation::speaks_of_row(const std::vector<UrlSegment> &segments) const {
    return std::any_of(segments.begin(), segments.end(), [&](const UrlSegment &segment) {
        return segment.kind == UrlSegment::Kind::kept && !references_.is_of_group(segment.kept);
    });
}

std::vector<UrlSegment> CompiledOperation::compile_url(const std::string &text, bool in_query) {
    std::vector<UrlSegment> segments;
    for (const TextPart &part : split_placeholders(text)) {
        using UrlKind = UrlSegment::Kind;
        if (!part.is_placeholder) {
            segments.push_back({UrlKind::literal, in_query ? percent_encoded(part.text) : part.text, 0});
        } else if (const std::string_view mark = references_.mark_of(part.text); !mark.empty()) {
            one_row_ |= part.text == "entry.id";
            segments.push_back({UrlKind::literal, std::string(mark), 0});
        } else if (part.text == "key_field") {
            segments.push_back({UrlKind::literal, percent_encoded(key_field_), 0});
        } else if (part.text == "fields") {
            std::string list;
            for (const std::string &field : fields_)
                list += (list.empty() ? "" : ",") + field;
            segments.push_back({UrlKind::literal, percent_encoded(list), 0});
        } else if (part.text == "cursor") {
            segments.push_back({UrlKind::cursor, "", 0});
        } else {
            const int column = references_.use(object_, spec_, part.text);
            const bool of_all = part.text == "keys";
            segments.push_back({of_all ? UrlKind::kept_of_all : UrlKind::kept, of_all ? UrlSegment::comma : "",
                                references_.keep(column)});
        }
    }
    return segments;
}

std::string CompiledOperation::expand(const std::vector<UrlSegment> &segments, const Batch *batch,
                                      std::string_view cursor, bool encoded) {
    std::string result;
    auto add = [&](std::string_view text) {
        if (encoded)
            append_percent_encoded(result, text);
        else
            result += text;
    };
    for (const UrlSegment &segment : segments) {
        switch (segment.kind) {
        case UrlSegment::Kind::literal:
            result += segment.text;
            break;
        case UrlSegment::Kind::cursor:
            add(cursor);
            break;
        case UrlSegment::Kind::kept:
            add(batch->kept(0, segment.kept));
            break;
        case UrlSegment::Kind::kept_of_all:
            for (std::size_t row = 0; row < batch->rows().size(); row++) {
                if (row > 0)
                    result += segment.text;
                add(batch->kept(row, segment.kept));
            }
            break;
        }
    }
    return result;
}

std::string CompiledOperation::url(const Batch *batch, std::string_view cursor) const {
    std::string url = object_.base_url + expand(path_, batch, cursor, true);
    char separator = url.find('?') == std::string::npos ? '?' : '&';
    for (const UrlParameter &parameter : query_) {
        if (parameter.needs_cursor && cursor.empty())
            continue;
        url += separator + expand(parameter.segments, batch, cursor, true);
        separator = '&';
    }
    return url;
}

std::string CompiledOperation::page_body(const std::string &cursor, const ListFilter &filter) const {
    if (spec_.kind != OperationKind::list || spec_.body == nullptr)
        return "";
    const Json body = page_body_of(*spec_.body, fields_, cursor, filter);
    if (spec_.format.kind == BodyKind::text)
        return body.get<std::string>();
    if (spec_.format.kind != BodyKind::form)
        return body.dump(-1, ' ', false, Json::error_handler_t::replace);
    std::string form;
    for (const auto &[name, member] : body.items())
        form += (form.empty() ? "" : "&") + percent_encoded(name) + "=" +
                percent_encoded(member.is_string() ? member.get<std::string>() : member.dump());
    return form;
}

std::string CompiledOperation::request_line() const {
    return spec_.method + " " + substitute(spec_.path, [&](const std::string &name) -> std::optional<std::string> {
               return name == "key_field" ? std::optional(key_field_) : std::nullopt;
           });
}

} // namespace reverse_etl
