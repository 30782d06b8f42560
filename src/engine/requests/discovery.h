#pragma once

#include "engine/manifest/discovery_spec.h"
#include "engine/requests/fetch.h"

#include <memory>
#include <string>
#include <vector>

namespace reverse_etl {

/// A field that an account has. Its texts are the account's: of any length and with any signs but zero bytes.
struct FoundField {
    std::string field;
    FoundType type;
    bool writable = true;
    std::vector<OperationKind> written_by; ///< the operations that write it; empty: all
    bool required = false;
    std::vector<std::string> choices;
    bool choices_are_closed = false;
    std::string description; ///< as words for people have to be
};

/// An object that an account has.
struct FoundObject {
    std::string name;
    std::string table; ///< what its table is to be called
};

/// What a read of an account goes through.
struct AccountLine {
    Transport &transport;
    Waiter &waiter;
    RateLimiter &limiter;
    const Policy &policy;
};

/// Looks for the fields of one object, page by page.
class FieldSearch : private RecordSink {
  public:
    /// The object must have a discovery, and stay as long as this does.
    FieldSearch(const Object &object, Authenticator &authenticator, const AccountLine &line);

    const Object &object() const { return object_; }
    /// Valid when find_fields() has returned.
    std::vector<FoundField> &found() { return found_; }

  private:
    friend void find_fields(const std::vector<std::unique_ptr<FieldSearch>> &searches, const AccountLine &line);

    void record(simdjson::dom::element record) override;

    const Object &object_;
    const FieldDiscovery &spec_;
    const Words &words_;
    const CompiledOperation operation_;
    Dispatcher dispatcher_;
    Fetch fetch_;
    std::vector<FoundField> found_;
};

/// Runs the searches side by side until each has read its last page. Throws DestinationError.
void find_fields(const std::vector<std::unique_ptr<FieldSearch>> &searches, const AccountLine &line);

/// The objects of an account, in its order. Throws DestinationError.
std::vector<FoundObject> find_objects(const AccountObjects &objects, Authenticator &authenticator,
                                      const AccountLine &line);

/// Reads a field from its record; false if it is none that counts.
bool read_found_field(const FieldDiscovery &spec, simdjson::dom::element record, const Words &words, FoundField &field);

} // namespace reverse_etl
