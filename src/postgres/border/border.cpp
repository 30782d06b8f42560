#include "postgres/border/border.h"

#include <cstdio>
#include <cstring>
#include <new>
#include <string_view>

namespace reverse_etl {

Error lasting(const PostgresError &error) {
    return {error.data->sqlerrcode, error.what(), error.detail(), error.hint(), error.context()};
}

int sqlstate_of(Fault fault) {
    switch (fault) {
    case Fault::unknown_host:
    case Fault::unreachable:
    case Fault::not_trusted:
        return ERRCODE_FDW_UNABLE_TO_ESTABLISH_CONNECTION;
    case Fault::unauthorized:
        return ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION;
    case Fault::stopped:
        return ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION;
    case Fault::not_found:
        return ERRCODE_FDW_TABLE_NOT_FOUND;
    case Fault::unintelligible:
        return ERRCODE_FDW_REPLY_HANDLE;
    }
    return ERRCODE_FDW_ERROR;
}

namespace border {

namespace {

template <std::size_t size>
void set(char (&target)[size], std::string_view text) noexcept {
    std::size_t length = std::min(text.size(), size - 1);
    while (length > 0 && length < text.size() && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80)
        length--;
    std::memcpy(target, text.data(), length);
    target[length] = '\0';
}

} // namespace

void note(Caught &caught) noexcept {
    caught.of_postgres = nullptr;
    caught.sqlstate = ERRCODE_FDW_ERROR;
    caught.message[0] = caught.detail[0] = caught.hint[0] = caught.context[0] = caught.detail_log[0] = '\0';
    try {
        throw;
    } catch (const PostgresError &error) {
        caught.of_postgres = error.data;
    } catch (const Error &error) {
        caught.sqlstate = error.sqlstate;
        set(caught.message, error.what());
        set(caught.detail, error.detail);
        set(caught.hint, error.hint);
        set(caught.context, error.context);
        set(caught.detail_log, error.detail_log);
    } catch (const DestinationError &error) {
        caught.sqlstate = sqlstate_of(error.fault);
        set(caught.message, error.what());
        set(caught.hint, error.hint);
        set(caught.context, error.detail);
    } catch (const SettingError &error) {
        caught.sqlstate = ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE;
        set(caught.message, error.what());
        set(caught.hint, error.hint);
    } catch (const ManifestError &error) {
        caught.sqlstate = ERRCODE_INVALID_PARAMETER_VALUE;
        set(caught.message, "invalid connector manifest");
        std::snprintf(caught.detail, sizeof(caught.detail), "\"%s\" %s.", error.pointer.c_str(), error.what());
    } catch (const std::bad_alloc &) {
        caught.sqlstate = ERRCODE_OUT_OF_MEMORY;
        set(caught.message, "out of memory");
    } catch (const std::exception &error) {
        caught.sqlstate = ERRCODE_INTERNAL_ERROR;
        set(caught.message, error.what());
    } catch (...) {
        caught.sqlstate = ERRCODE_INTERNAL_ERROR;
        set(caught.message, "unknown C++ exception");
    }
}

void raise(const Caught &caught) {
    if (caught.of_postgres != nullptr)
        ReThrowError(caught.of_postgres);
    auto server = [](const char *utf8) { return to_server_legible(utf8).c_str(); };
    ereport(ERROR, (errcode(caught.sqlstate), errmsg("%s", server(caught.message)),
                    caught.detail[0] != '\0' ? errdetail("%s", server(caught.detail)) : 0,
                    caught.detail_log[0] != '\0' ? errdetail_log("%s", server(caught.detail_log)) : 0,
                    caught.hint[0] != '\0' ? errhint("%s", server(caught.hint)) : 0,
                    caught.context[0] != '\0' ? errcontext("%s", server(caught.context)) : 0));
    pg_unreachable();
}

} // namespace border

Error lasting(const std::exception_ptr &failed) {
    border::Caught caught;
    try {
        std::rethrow_exception(failed);
    } catch (...) {
        border::note(caught);
    }
    if (caught.of_postgres != nullptr)
        return lasting(PostgresError(caught.of_postgres));
    return {caught.sqlstate, caught.message, caught.detail, caught.hint, caught.context, caught.detail_log};
}

} // namespace reverse_etl
