#pragma once

#include "engine/manifest/connector.h"
#include "engine/requests/batch.h"
#include "engine/requests/body_compiler.h"
#include "engine/requests/list_filter.h"
#include "engine/requests/row_references.h"
#include "engine/requests/row_segment.h"
#include "engine/text/headers.h"

#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl {

/// A piece of a URL or of a bucket's name: literal text, or a kept text of the row (of all, with `text` between them).
struct UrlSegment {
    enum class Kind { literal, kept, kept_of_all, cursor } kind;
    static constexpr const char *comma = "%2C"; ///< between the texts of all rows
    std::string text;
    std::size_t kept = 0;
};

struct UrlParameter {
    std::vector<UrlSegment> segments; ///< with its name and '='
    bool needs_cursor = false;        ///< left out of the first page
};

/// Why a row is not asked for.
inline constexpr const char *names_no_row = "an empty text, \".\" or \"..\" names no row, nor does a list's separator";

/// An operation compiled for the columns of one statement: per row and per request nothing is left but copying bytes.
class CompiledOperation {
  public:
    /// `key` is the position among `columns` of the column that names the row, -1 for none (or several). `fields` is
    /// what {fields} stands for: the fields a read asks for. Throws SettingError when a column is missing.
    CompiledOperation(const Object &object, const OperationSpec &spec, std::vector<StatementColumn> columns, int key,
                      const std::vector<std::string> &fields);

    const OperationSpec &spec() const { return spec_; }
    const Object &object() const { return object_; }
    const std::vector<StatementColumn> &columns() const { return references_.columns(); }
    const std::vector<DerivedColumn> &derived() const { return references_.derived(); }
    const std::string &field_of(int column) const { return references_.field_of(column); }
    /// The position of the column that names the row; -1 for none.
    int key() const { return references_.key(); }
    const std::string &key_field() const { return key_field_; }
    /// How the destination compares the keys of this operation's rows.
    KeyForm key_form() const { return references_.key() < 0 ? KeyForm() : columns()[references_.key()].compare; }

    const BatchFrame &frame() const { return body_.frame; }
    const RowSegments &row() const { return body_.row; }
    bool has_body() const { return has_body_; }
    /// Of every request: the engine's, which the manifest's replace, which the operation's own replace. Content-Type
    /// goes with a body only.
    const Headers &headers() const { return headers_; }
    /// {request.id} or {entry.id} stands in its URL, its headers or its body.
    bool names_ids() const { return references_.names_ids(); }
    bool names_request() const { return references_.names_request(); }
    /// One request holds one row, whatever its limit says, since its path or its body speaks of one.
    bool one_row() const { return one_row_; }
    /// The kept texts that the rows of a request have in common; empty: any rows may share one.
    const std::vector<std::size_t> &grouping() const { return references_.grouping(); }
    /// The answer's 404 speaks of what the rows of a request have in common.
    bool path_names_group() const { return path_names_group_; }
    /// What rows have in common stands in the body beside them: a mark, until the request is sent.
    bool names_group() const { return references_.names_group(); }
    /// Its path names the row, so that 404 speaks of the row and not of the endpoint.
    bool path_names_row() const { return path_names_row_; }
    /// Takes the rows out of the batch that would name something else: with an empty key, "." or ".." a path names the
    /// collection, and a DELETE all that is in it; a body or a list of keys with such a one names no row; a comma in
    /// one of several keys in the URL names two.
    std::vector<BatchRow> take_unreachable(Batch &batch) const;
    /// The names of the first such row for which there may be one all the same, as texts with commas between them; ""
    /// if there is none. No row has an empty name.
    std::string unreachable_name(const Batch &batch) const;
    std::size_t rows_per_batch() const { return one_row_ ? 1 : static_cast<std::size_t>(spec_.rows); }
    /// Columns whose text is kept per row (Batch::keep), in this order.
    const std::vector<int> &kept_columns() const { return references_.kept(); }
    /// The position of the key among the kept texts, -1 if it is not kept.
    int kept_key() const { return kept_key_; }
    /// Of a lookup: the columns by which it knows rows, and where each stands among the kept texts.
    struct NameColumn {
        int column;
        std::size_t kept;
    };
    const std::vector<NameColumn> &names() const { return names_; }

    std::string url(const Batch *batch, std::string_view cursor) const;
    /// The URL without the base and the query.
    std::string path(const Batch &batch) const { return expand(path_, &batch, "", true); }
    /// The body of a list's request for the page of that cursor, "" for the first; "" where a list sends none.
    std::string page_body(const std::string &cursor, const ListFilter &filter = {}) const;
    /// Method and path as a reader of EXPLAIN wants to see them.
    std::string request_line() const;

    struct CompiledLimit {
        RateLimitSpec spec;
        std::vector<UrlSegment> scope;
    };
    const std::vector<CompiledLimit> &rate_limits() const { return rate_limits_; }
    static std::string expand(const std::vector<UrlSegment> &segments, const Batch *batch, std::string_view cursor,
                              bool encoded);

  private:
    void set_headers();
    void add_id_headers();
    bool speaks_of_row(const std::vector<UrlSegment> &segments) const;
    bool reaches(const Batch &batch, std::size_t row) const;
    bool url_reaches(const Batch &batch, std::size_t row) const;
    std::vector<UrlSegment> compile_url(const std::string &text, bool in_query);
    void keep_names();

    const Object &object_;
    const OperationSpec &spec_;
    RowReferences references_;
    std::vector<std::string> fields_;
    std::string key_field_;

    Headers headers_;
    CompiledBody body_;
    bool has_body_ = false, one_row_ = false, path_names_row_ = false, url_names_row_ = false;
    bool path_names_group_ = false;
    int kept_key_ = -1;
    std::vector<NameColumn> names_;
    std::vector<UrlSegment> path_;
    std::vector<UrlParameter> query_;
    std::vector<CompiledLimit> rate_limits_;
};

} // namespace reverse_etl
