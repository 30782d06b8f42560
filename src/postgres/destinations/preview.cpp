#include "postgres/destinations/preview.h"

#include "postgres/border/border.h"

namespace reverse_etl {

namespace {

/// A statement without a LIMIT is not kept in memory.
constexpr std::size_t most_entries = 1000;
constexpr std::size_t most_bytes = 64 << 20;

} // namespace

Preview *Preview::current_ = nullptr;

Preview::Preview() : outer_(current_) {
    current_ = this;
}

Preview::~Preview() {
    current_ = outer_;
}

void Preview::add(Entry entry) {
    bytes_ += entry.request.body.size() + entry.request.url.size() + entry.refusal.size();
    if (entries_.size() >= most_entries || bytes_ > most_bytes)
        throw Error(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "the statement makes too many requests for a preview",
                    "A preview shows " + std::to_string(most_entries) + " requests and " +
                        std::to_string(most_bytes >> 20) + " MB at most.",
                    "Let the statement read fewer rows, by LIMIT for instance.");
    entries_.push_back(std::move(entry));
}

std::unique_ptr<PreviewedDestination> PreviewedDestination::of(const std::string &destination,
                                                               OperationKind operation) {
    Preview *preview = Preview::current();
    if (preview == nullptr)
        return nullptr;
    preview->met_destination_ = true;
    return std::unique_ptr<PreviewedDestination>(new PreviewedDestination(*preview, destination, operation));
}

std::optional<Response> PreviewedDestination::exchange(const ShownRequest &request) {
    preview_.add({destination_, request.operation, request, ""});
    return std::nullopt;
}

void PreviewedDestination::refused(std::uint64_t row, const std::string &reason) {
    ShownRequest none;
    none.rows.push_back(row);
    preview_.add({destination_, operation_, std::move(none), reason});
}

} // namespace reverse_etl
