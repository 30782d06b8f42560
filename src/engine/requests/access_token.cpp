#include "engine/requests/access_token.h"

#include "engine/requests/access_token_answer.h"
#include "engine/requests/jwt.h"
#include "engine/requests/token_request.h"
#include "engine/text/headers.h"
#include "engine/text/placeholders.h"

#include <openssl/sha.h>
#include <variant>

namespace reverse_etl {

namespace {

/// Each with its length: no two lists of texts read alike.
void append_with_length(std::string &identity, const std::string &text) {
    identity += std::to_string(text.size()) + ":" + text;
}

std::string digest_of(const std::string &identity) {
    std::string digest(SHA256_DIGEST_LENGTH, '\0');
    SHA256(reinterpret_cast<const unsigned char *>(identity.data()), identity.size(),
           reinterpret_cast<unsigned char *>(digest.data()));
    return digest;
}

/// A token that is made here is made anew when so much of its life is over.
Milliseconds use_of(const JwtSpec &jwt) {
    return std::chrono::seconds(jwt.seconds) / 2;
}

} // namespace

AccessToken::AccessToken(const AuthSpec &auth, const Settings &credentials, Words &words)
    : spec_(auth.token), jwt_(auth.jwt), credentials_(credentials), words_(words) {
    std::string all;
    append_with_length(all, auth.written);
    for (const std::string &name : auth.credentials)
        for (const std::string &text : {name, credentials_.at(name)})
            append_with_length(all, text);
    identity_ = digest_of(all);
    if (spec_) {
        mapped_refresh_token_ = refresh_token_ = filled(spec_->refresh_token);
        std::string refresh;
        for (const std::string &text : {spec_->url, refresh_token_})
            append_with_length(refresh, text);
        refresh_identity_ = digest_of(refresh);
        if (spec_->basic)
            words_.secrets().add(filled(spec_->basic->first) + ":" + filled(spec_->basic->second));
    }
    // A key that cannot sign is known as such before anything is sent.
    const FillIn fill_in = [this](std::string_view text) { return filled(text); };
    if (jwt_ || spec_->assertion)
        signed_jwt(jwt_ ? *jwt_ : *spec_->assertion, fill_in, WallClock::now());
}

std::string AccessToken::filled(std::string_view text) const {
    return substitute(text, [&](const std::string &name) -> std::optional<std::string> {
        auto found = credentials_.find(name);
        return found == credentials_.end() ? std::nullopt : std::optional(found->second);
    });
}

bool AccessToken::ready() {
    const bool is_good = !token_.empty() && (!expires_ || Clock::now() < *expires_);
    if (!is_good && jwt_)
        take({signed_jwt(
                  *jwt_, [this](std::string_view text) { return filled(text); }, WallClock::now()),
              "", "", use_of(*jwt_)});
    return is_good || jwt_;
}

void AccessToken::sign(Headers &headers) const {
    static const TokenSpec::Texts bearer = {{"Authorization", "Bearer {login.token}"}};
    for (const auto &[name, text] : spec_ ? spec_->signature : bearer)
        set_header(headers, name, substitute(text, [&](const std::string &placeholder) -> std::optional<std::string> {
                       if (placeholder == "login.token")
                           return token_;
                       auto found = credentials_.find(placeholder);
                       return found == credentials_.end() ? std::nullopt : std::optional(found->second);
                   }));
}

std::string AccessToken::address(std::string url, const std::string &base_url) const {
    return base_url_.empty() || !url.starts_with(base_url) ? url : base_url_ + url.substr(base_url.size());
}

std::string AccessToken::home_address(std::string url, const std::string &base_url) const {
    const bool is_there = !base_url_.empty() && (url.starts_with(base_url_ + "/") || url.starts_with(base_url_ + "?"));
    return is_there ? base_url + url.substr(base_url_.size()) : url;
}

void AccessToken::forget() {
    token_.clear();
    if (store_)
        store_->refuse();
}

void AccessToken::take(const FetchedToken &token) {
    token_ = token.text;
    base_url_ = token.base_url;
    words_.secrets().add_passing(token_);
    if (!token.refresh_token.empty())
        use_refresh_token(token.refresh_token);
    generation_++;
    is_new_ = token.is_new;
    expires_.reset();
    if (token.life)
        expires_ = Clock::now() + *token.life;
}

void AccessToken::use_refresh_token(const std::string &newest) {
    refresh_token_ = newest;
    words_.secrets().add_passing(newest);
}

Request AccessToken::request() {
    return token_request(
        *spec_, [this](std::string_view text) { return filled(text); }, refresh_token_, body_);
}

TokenResult AccessToken::result_of(const Response &response) const {
    return read_token_answer(*spec_, response, words_);
}

std::optional<TokenFault> AccessToken::read(const Response &response) {
    const TokenResult result = result_of(response);
    if (const auto *fault = std::get_if<TokenFault>(&result))
        return *fault;
    take(std::get<FetchedToken>(result));
    return std::nullopt;
}

} // namespace reverse_etl
