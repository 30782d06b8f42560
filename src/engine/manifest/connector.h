#pragma once

#include "engine/manifest/auth_spec.h"
#include "engine/manifest/check_spec.h"
#include "engine/manifest/column_spec.h"
#include "engine/manifest/condition.h"
#include "engine/manifest/derived_spec.h"
#include "engine/manifest/discovery_spec.h"
#include "engine/manifest/files_spec.h"
#include "engine/manifest/key_form.h"
#include "engine/manifest/operation_spec.h"
#include "engine/manifest/option_spec.h"
#include "engine/manifest/statement_spec.h"
#include "engine/manifest/value_encoding.h"
#include "engine/text/errors.h"
#include "engine/text/json_fwd.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reverse_etl {

class ManifestFilling;
class ManifestNode;

/// Options of server and table, by name.
using Settings = std::map<std::string, std::string>;

/// One object of a connector with its options filled in: all that is needed to speak with the destination.
struct Object {
    std::string connector;
    std::string name;
    std::string description; ///< for people; "" for none
    std::string base_url;    ///< without a slash at its end
    std::string id;          ///< field with the destination's id; "" for none
    std::vector<std::string> key;
    OperationKind insert = OperationKind::create;
    Scalar clear;           ///< the value that clears a field
    std::string read;       ///< pointer to a field that the manifest does not list, with {field}
    ValueEncoding encoding; ///< of such a field
    std::string part;       ///< of the body, where such a field's value stands
    KeyForm compare;        ///< of a field for which no column says more
    std::vector<std::pair<std::string, std::string>> headers;
    std::vector<std::pair<std::string, std::string>> id_headers; ///< templates with {request.id} or {entry.id}
    std::vector<ColumnSpec> columns;
    std::vector<DerivedSpec> derived;
    std::map<OperationKind, OperationSpec> operations;
    std::shared_ptr<const FieldDiscovery> discovery; ///< of further fields; nullptr: none are looked for
    std::vector<OperationSpec> more_lookups;         ///< behind the one among the operations
    /// What is there to be tried in reaction to an answer only, by name.
    std::map<std::string, OperationSpec> reactions;
    std::vector<AuthSpec> auth;
    std::vector<std::string> credentials; ///< all that a user mapping may hold

    const OperationSpec *operation(OperationKind kind) const;
    /// The ways to look rows up, in the manifest's order.
    std::vector<const OperationSpec *> lookups() const;
    const ColumnSpec *column_of_field(std::string_view field) const;
    /// The value that requests derive from a field; nullptr if none has the name.
    const DerivedSpec *derived_named(std::string_view name) const;
    /// How the destination compares the field's values, where they name rows.
    KeyForm form_of(std::string_view field) const;
    /// Where in a record the field's value stands.
    std::string pointer_to(const std::string &field) const;
};

/// A connector's check with the server's options filled in.
struct ConnectorCheck {
    Object object; ///< of no name: what requests have in common
    CheckSpec spec;
};

/// How to find the objects of an account, with the server's options filled in.
struct AccountObjects {
    Object object; ///< of no name: what requests have in common
    ObjectDiscovery spec;
};

/// How a connector runs SQL at its source, with the server's options filled in.
struct ConnectorStatement {
    Object object; ///< of no name: what requests have in common
    StatementSpec spec;
};

/// How a connector reads files, with the server's options filled in.
struct ConnectorFiles {
    Object object; ///< of no name: what requests have in common
    FilesSpec spec;
};

/// A manifest that was checked: what the DBA names in CREATE SERVER ... OPTIONS (connector '...').
class Connector {
  public:
    /// Throws ManifestError, and what `pause` throws, which is called now and then. `of` gives the manifests that
    /// others extend.
    static Connector parse(std::string_view text, void (*pause)() = nullptr,
                           const std::function<std::optional<std::string>(const std::string &name)> &of = nullptr);

    const std::string &name() const { return name_; }
    const std::string &title() const { return title_; }
    const std::string &schema() const { return schema_; }
    const std::vector<OptionSpec> &options() const { return options_; }
    const std::vector<AuthSpec> &auth() const { return auth_; }
    /// What a user mapping may hold.
    const std::vector<CredentialSpec> &credentials() const { return credentials_; }
    std::vector<std::string> object_names() const;
    /// Whether it speaks of objects that it does not list.
    bool has_others() const;
    /// Whether it speaks of the object, be it as one that it does not list.
    bool has_object(const std::string &name) const { return !name_in_manifest(name).empty(); }
    /// All that it says, with what it has from those that it extends, without notes.
    std::string manifest() const;

    /// The object with the options of server and table filled in. Throws SettingError for a missing or wrong option or
    /// an object that does not exist, ManifestError if an option's text makes the manifest wrong.
    Object object(const std::string &name, const Settings &settings) const;

    /// What requests have in common whatever they speak of, and who may make them. Throws as object() does.
    Object account(const Settings &settings) const;

    /// How to find out whether a server lets us in; nothing if the manifest does not say. Throws as object() does.
    std::optional<ConnectorCheck> check(const Settings &settings) const;

    /// How it runs SQL; nothing if it does not. Throws as object() does.
    std::optional<ConnectorStatement> statement(const Settings &settings) const;
    bool has_statement() const;

    /// How it reads files; nothing if it does not. Throws as object() does.
    std::optional<ConnectorFiles> files(const Settings &settings) const;
    bool has_files() const;
    /// Whether these are files of a folder of the server: it makes no requests.
    bool reads_folder() const;

    /// How to find the objects that it does not list; nothing if the manifest does not say. Throws as object() does.
    std::optional<AccountObjects> account_objects(const Settings &settings) const;

  private:
    std::string name_in_manifest(const std::string &object) const;
    SettingError lacks_object(const std::string &name) const;
    using ReadAccount = std::function<void(const ManifestNode &manifest)>;
    Object account_with(const Settings &settings, const char *member, const ReadAccount &read) const;
    std::string base_url(ManifestFilling &filling, const Settings &settings) const;

    std::shared_ptr<const Json> manifest_;
    std::string name_, title_, schema_;
    std::vector<OptionSpec> options_;
    std::vector<CredentialSpec> credentials_;
    std::vector<AuthSpec> auth_;
};

} // namespace reverse_etl
