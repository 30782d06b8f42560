#include "engine/requests/server_check.h"
#include "postgres/border/arrays.h"
#include "postgres/border/border.h"
#include "postgres/border/names.h"
#include "postgres/border/sql_function.h"
#include "postgres/destinations/checked_server.h"
#include "postgres/destinations/destination.h"
#include "postgres/destinations/identity.h"
#include "postgres/destinations/session.h"

extern "C" {
#include "access/htup_details.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "utils/acl.h"
}

namespace reverse_etl {

namespace {

/// What went wrong, for who set the server up.
std::string plain_words(Fault fault, const std::string &server, const std::string &role) {
    switch (fault) {
    case Fault::unknown_host:
        return "the host of server \"" + server + "\" is not known";
    case Fault::unreachable:
        return "server \"" + server + "\" cannot be reached";
    case Fault::not_trusted:
        return "the certificate of server \"" + server + "\" is not trusted";
    case Fault::unauthorized:
        return "server \"" + server + "\" refuses the credentials of role \"" + role + "\"";
    case Fault::not_found:
        return "what answers at server \"" + server + "\" does not know the request of the check";
    case Fault::unintelligible:
        return "what answers at server \"" + server + "\" is not the API";
    case Fault::stopped:
        break;
    }
    return "server \"" + server + "\" refuses the check";
}

std::string hint_of(const DestinationError &error) {
    const bool is_elsewhere = error.fault == Fault::unintelligible || error.fault == Fault::unreachable;
    return error.hint.empty() && is_elsewhere ? "Check the server's option \"base_url\", and the way to it."
                                              : error.hint;
}

CheckAnswer check(Oid server, Oid user) {
    identity::refuse_copy();
    CheckedServer checked(server, user);
    checked.policy.max_attempts = 1; // who asks wants to know how it is now
    const CompiledOperation operation(checked.check.object, checked.check.spec.operation, {}, -1, {});
    Dispatcher dispatcher(operation, session::transport(), session::waiter(), session::rate_limiter(),
                          *checked.authenticator, checked.policy);
    try {
        return run_check(checked.check.spec, operation, dispatcher);
    } catch (const DestinationError &error) {
        throw Error(sqlstate_of(error.fault), plain_words(error.fault, server_name(server), role_name(user)),
                    std::string(error.what()) + (error.detail.empty() ? "" : " (" + error.detail + ")"),
                    hint_of(error));
    }
}

} // namespace

/// reverse_etl.check_server(server text, OUT identity text, OUT scopes text[], OUT missing_scopes text[])
SQL_FUNCTION(reverse_etl_check_server) {
    return guard([&] {
        const CheckAnswer found = check(usable_server(text_argument(fcinfo, 0)), GetUserId());
        const bool tells_scopes = found.scopes.has_value();
        const Datum scopes = tells_scopes ? text_array(*found.scopes) : 0;
        const Datum missing = tells_scopes ? text_array(found.missing) : 0;
        return pg_call([&] {
            TupleDesc descriptor;
            get_call_result_type(fcinfo, nullptr, &descriptor);
            Datum values[] = {text_datum(to_server_legible(found.identity)), scopes, missing};
            bool nulls[] = {found.identity.empty(), !tells_scopes, !tells_scopes};
            return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls));
        });
    });
}

} // namespace reverse_etl
