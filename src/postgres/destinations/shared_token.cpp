#include "postgres/destinations/shared_token.h"

#include "postgres/border/attempt.h"
#include "postgres/border/border.h"
#include "postgres/border/own_locks.h"
#include "postgres/border/own_process.h"
#include "postgres/destinations/token_tables.h"

#include <cstring>

extern "C" {
#include "access/xact.h"
#include "access/xlog.h"
#include "miscadmin.h"
}

namespace reverse_etl {

namespace {

/// What a lock tells accounts apart by. Two that are taken for one only wait for each other.
std::uint32_t lock_of(const std::string &account) {
    std::uint32_t number = 0;
    std::memcpy(&number, account.data(), sizeof(number));
    return number;
}

} // namespace

SharedToken::SharedToken(const AccessToken &token, const TokenPlace &place)
    : account_(token.identity()), may_rotate_(token.may_rotate()), place_(place) {}

TokenStore::Answer SharedToken::ask() {
    if (IsTransactionState())
        return look();
    std::optional<Answer> answer;
    if (std::optional<Error> failure = attempt([&] { answer.emplace(look()); }))
        return cannot(failure->what(), true, failure->hint);
    return *answer;
}

TokenStore::Answer SharedToken::look() {
    // Before the table is looked at: what it wrote is there when it has ended.
    const bool fetched = is_over();
    const token_tables::Entry entry = token_tables::read(account_);
    const bool is_news = !since_ || entry.number > *since_;
    if (is_news && entry.is_usable() && entry.number != refused_) {
        FetchedToken token = std::get<FetchedToken>(*entry.result);
        token.is_new = since_.has_value();
        abandon();
        handed_out_ = entry.number;
        return token;
    }
    if (since_ && is_news && entry.result && std::holds_alternative<TokenFault>(*entry.result)) {
        abandon();
        return std::get<TokenFault>(*entry.result);
    }
    if (is_news)
        since_ = entry.number;
    else if (fetched)
        return cannot(
            "a background worker could not fetch it", false,
            "A user mapping or a foreign table that is not committed yet can be used when it is. Else see the "
            "server log.");
    return have_it_fetched();
}

TokenStore::Answer SharedToken::have_it_fetched() {
    if (RecoveryInProgress())
        return cannot("a standby cannot renew it", false,
                      "It uses the token that its primary has fetched, while that is good.");
    if (!has_turn_)
        has_turn_ = pg_call([&] { return own_locks::take_turn_for_token(lock_of(account_)); });
    if (has_turn_ && fetcher_ == nullptr && !start_fetching())
        return cannot("no background worker is free", true, "You might need to increase \"max_worker_processes\".");
    return Later{};
}

/// Where nothing is lost by it, whoever needs the token fetches it.
TokenStore::Answer SharedToken::cannot(const std::string &why, bool passes, const std::string &hint) {
    abandon();
    if (!may_rotate_)
        return Alone{};
    return TokenFault{DestinationError(Fault::unreachable, "no access token: " + why, "", hint), passes, std::nullopt};
}

bool SharedToken::start_fetching() {
    TokenOrder order{place_, *since_, {}};
    std::memcpy(order.account, account_.data(), sizeof(order.account));
    BackgroundWorker worker = own_process("token fetcher", "reverse_etl_token_fetcher_main");
    static_assert(sizeof(order) <= sizeof(worker.bgw_extra));
    std::memcpy(worker.bgw_extra, &order, sizeof(order));
    fetcher_ = start_process(worker);
    return fetcher_ != nullptr;
}

bool SharedToken::is_over() const {
    pid_t pid;
    return fetcher_ != nullptr && GetBackgroundWorkerPid(fetcher_, &pid) == BGWH_STOPPED;
}

void SharedToken::abandon() noexcept {
    since_.reset();
    if (fetcher_ != nullptr)
        pfree(fetcher_);
    fetcher_ = nullptr;
    if (!has_turn_)
        return;
    has_turn_ = false;
    try {
        pg_call([&] { own_locks::give_up_turn_for_token(lock_of(account_)); });
    } catch (const PostgresError &) {
        // it is not held any more
    }
}

void share_token(Authenticator &authenticator, const TokenPlace &place) {
    AccessToken *token = authenticator.token();
    // One that is made here, out of a key, needs nobody else.
    if (token == nullptr || !token->is_fetched())
        return;
    if (token->store() == nullptr)
        token->share(std::make_unique<SharedToken>(*token, place));
    else
        static_cast<SharedToken *>(token->store())->found_at(place);
}

} // namespace reverse_etl
