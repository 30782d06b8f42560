#include "engine/catalog/connector_page.h"

#include <algorithm>

namespace reverse_etl {

namespace {

std::vector<std::string> codes(const std::vector<std::string> &names) {
    std::vector<std::string> all;
    for (const std::string &name : names)
        all.push_back(code(name));
    return all;
}

void add_beginning(Page &page, const Connector &connector, const ConnectorFacts &facts) {
    page.title(prose(connector.title()));
    std::string text = "The connector " + code(connector.name());
    if (!facts.version.empty())
        text += ", version " + facts.version;
    if (!facts.category.empty())
        text += ", category " + code(facts.category);
    if (!facts.documentation.empty())
        text += ". Documentation: " + prose(facts.documentation);
    page.paragraph(text);
}

void add_credentials(Page &page, const Connector &connector) {
    page.heading("What to ask the vendor for");
    std::string ways;
    for (const AuthSpec &auth : connector.auth()) {
        std::vector<std::string> names;
        for (const CredentialSpec &one : connector.credentials())
            if (std::find(auth.credentials.begin(), auth.credentials.end(), one.name) != auth.credentials.end())
                names.push_back(code(one.name));
        ways += (ways.empty() ? "" : "; or ") + (names.empty() ? "nothing" : enumerated(names));
    }
    page.paragraph("A user mapping holds " + ways + ".");
    std::vector<std::vector<std::string>> rows;
    for (const CredentialSpec &one : connector.credentials())
        rows.push_back({code(one.name), prose(one.description), one.example.empty() ? "" : code(one.example),
                        prose(one.documentation)});
    if (!rows.empty())
        page.entries({"option", "what it is", "example", "where to get it"}, rows);
}

void add_check(Page &page, const Connector &connector) {
    const std::optional<ConnectorCheck> check = connector.check(typical_settings(connector));
    if (!check)
        return;
    std::string text = code("SELECT * FROM reverse_etl.check_server('" + connector.name() + "')") + " signs in" +
                       (check->spec.identity.empty() ? "." : ", and says as whom.");
    if (!check->spec.needed.empty())
        text += " Needed are the scopes " + enumerated(codes(check->spec.needed)) + "; it says which are missing.";
    page.paragraph(text);
}

void add_discovery(Page &page, const Connector &connector, const ConnectorFacts &facts) {
    std::vector<std::string> names;
    for (const Object &object : facts.objects)
        if (object.discovery != nullptr)
            names.push_back(code(object.name));
    const bool finds_objects = connector.account_objects(typical_settings(connector)).has_value();
    if (names.empty() && !finds_objects)
        return;
    page.heading("What the account is asked for");
    const std::string all = names.size() == facts.objects.size() ? "all objects" : enumerated(names);
    const std::string fields = names.empty() ? "" : "the fields of " + all + ", which become columns";
    const std::string objects = finds_objects ? "objects of its own, which become tables" : "";
    page.paragraph("IMPORT FOREIGN SCHEMA asks the account for " + fields +
                   (fields.empty() || objects.empty() ? "" : ", and for ") + objects +
                   ". With OPTIONS (discover 'false') it takes what the connector lists. What an account has got since "
                   "is added by reverse_etl.refresh_columns.");
}

std::string said_by(const OperationFact &fact) {
    if (fact.truth.is_documentation_alone())
        return "documentation alone" + (fact.note.empty() ? "" : ": " + prose(fact.note));
    std::vector<std::string> judges;
    if (!fact.truth.file.empty())
        judges.push_back("the vendor's published file (" + prose(fact.truth.file) + ")");
    if (!fact.truth.client.empty())
        judges.push_back("the vendor's own client (" + prose(fact.truth.client) + ")");
    return enumerated(judges);
}

/// Operations that rest on the same stand together.
void add_truth(Page &page, const ConnectorFacts &facts) {
    std::vector<std::pair<std::string, std::vector<std::pair<std::string, std::vector<std::string>>>>> grounds;
    for (const OperationFact &fact : facts.operations) {
        const std::string ground = said_by(fact);
        auto same = std::find_if(grounds.begin(), grounds.end(), [&](const auto &one) { return one.first == ground; });
        if (same == grounds.end())
            same = grounds.insert(grounds.end(), {ground, {}});
        if (same->second.empty() || same->second.back().first != fact.object)
            same->second.push_back({fact.object, {}});
        same->second.back().second.push_back(fact.operation);
    }
    std::vector<std::vector<std::string>> rows;
    for (const auto &[ground, objects] : grounds) {
        std::vector<std::string> operations;
        for (const auto &[object, names] : objects)
            operations.push_back(code(object) + " (" + enumerated(names, ", ") + ")");
        rows.push_back({enumerated(operations, ", "), ground});
    }
    page.heading("What this rests on");
    page.paragraph(
        "The requests of an operation were judged by what the vendor has published, or were taken by a stand-in "
        "that the vendor's own client has proved. What rests on documentation alone was written by the page "
        "that is named, and nothing has judged it: try it with a few rows first.");
    page.entries({"operations", "judged by"}, rows);
}

} // namespace

Page connector_page(const Connector &connector, const std::optional<Truth> &truth, const QuoteName &quoted_name,
                    void (*pause)()) {
    const ConnectorFacts facts = facts_of(connector, truth.value_or(Truth()), pause);
    Page page;
    add_beginning(page, connector, facts);
    add_credentials(page, connector);
    add_statements(page, connector, facts, quoted_name);
    add_check(page, connector);
    add_options(page, connector);
    add_objects(page, facts);
    add_discovery(page, connector, facts);
    add_limits(page, facts);
    if (truth && !facts.is_of_user && !facts.operations.empty())
        add_truth(page, facts);
    return page;
}

} // namespace reverse_etl
