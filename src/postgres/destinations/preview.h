#pragma once

#include "engine/manifest/operation_spec.h"
#include "engine/requests/rehearsal.h"

#include <memory>
#include <string>
#include <vector>

namespace reverse_etl {

class PreviewedDestination;

/// While one lives, the session's statements show it what they would send. Nothing leaves, nothing is queued, put on
/// record, or counted.
class Preview {
  public:
    Preview();
    ~Preview();
    Preview(const Preview &) = delete;
    Preview &operator=(const Preview &) = delete;

    /// The innermost; nullptr if statements are to do what they say.
    static Preview *current() { return current_; }

    /// What would be sent, or why a row would not be.
    struct Entry {
        std::string destination, operation;
        ShownRequest request; ///< of a refused row nothing but its number
        std::string refusal;
    };
    const std::vector<Entry> &entries() const { return entries_; }
    /// Whether a statement came to a destination at all.
    bool met_destination() const { return met_destination_; }

  private:
    friend PreviewedDestination;
    void add(Entry entry);

    static Preview *current_;
    Preview *outer_;
    std::vector<Entry> entries_;
    std::size_t bytes_ = 0;
    bool met_destination_ = false;
};

/// What a push or a scan has in its policy while there is a preview.
class PreviewedDestination : public Rehearsal {
  public:
    /// nullptr where there is none.
    static std::unique_ptr<PreviewedDestination> of(const std::string &destination, OperationKind operation);

    std::optional<Response> exchange(const ShownRequest &request) override;
    /// The row would be in no request.
    void refused(std::uint64_t row, const std::string &reason);

  private:
    PreviewedDestination(Preview &preview, const std::string &destination, OperationKind operation)
        : preview_(preview), destination_(destination), operation_(operation_name(operation)) {}

    Preview &preview_;
    const std::string destination_, operation_;
};

} // namespace reverse_etl
