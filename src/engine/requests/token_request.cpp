#include "engine/requests/token_request.h"

#include "engine/requests/jwt.h"
#include "engine/text/base64.h"
#include "engine/text/json.h"
#include "engine/text/json_text.h"

namespace reverse_etl {

namespace {

void fill_in_strings(Json &value, const FillIn &fill_in) {
    if (value.is_string())
        value = fill_in(value.get_ref<const std::string &>());
    else if (value.is_structured())
        for (auto &member : value)
            fill_in_strings(member, fill_in);
}

void append_parameter(std::string &text, std::string_view name, std::string_view value) {
    if (!text.empty())
        text += '&';
    append_percent_encoded(text, name);
    text += '=';
    append_percent_encoded(text, value);
}

std::string form_of(const TokenSpec::Texts &texts) {
    std::string form;
    for (const auto &[name, value] : texts)
        append_parameter(form, name, value);
    return form;
}

TokenSpec::Texts filled_texts(const TokenSpec::Texts &texts, const FillIn &fill_in) {
    TokenSpec::Texts filled;
    for (const auto &[name, text] : texts)
        filled.emplace_back(name, fill_in(text));
    return filled;
}

/// RFC 6749 section 2.3.1: name and password of a client are encoded as in a form before they are joined. A login has
/// its own, which are as RFC 7617 has them.
std::string basic(const TokenSpec &spec, const FillIn &fill_in) {
    const auto &[name, password] = *spec.basic;
    const bool is_login = spec.parameters.empty() || spec.parameters[0].first != "grant_type";
    if (is_login)
        return "Basic " + base64(fill_in(name) + ":" + fill_in(password));
    std::string pair;
    append_percent_encoded(pair, fill_in(name));
    pair += ':';
    append_percent_encoded(pair, fill_in(password));
    return "Basic " + base64(pair);
}

/// An empty credential is one that an account does without.
void leave_out_empty(TokenSpec::Texts &parameters) {
    std::erase_if(parameters, [](const auto &parameter) { return parameter.second.empty(); });
}

} // namespace

std::string filled_json(const std::string &json, const FillIn &fill_in) {
    Json value = Json::parse(json);
    fill_in_strings(value, fill_in);
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Request token_request(const TokenSpec &spec, const FillIn &fill_in, const std::string &refresh_token,
                      std::string &body) {
    Request request;
    request.method = spec.method;
    request.url = spec.url;
    if (!spec.query.empty())
        request.url +=
            (spec.url.find('?') == std::string::npos ? "?" : "&") + form_of(filled_texts(spec.query, fill_in));
    request.headers = {{"Accept", "application/json"}};
    for (const auto &[name, text] : spec.headers)
        set_header(request.headers, name, fill_in(text));
    if (spec.basic)
        set_header(request.headers, "Authorization", basic(spec, fill_in));

    TokenSpec::Texts parameters = filled_texts(spec.parameters, fill_in);
    for (auto &[name, value] : parameters)
        if (name == "refresh_token" && !spec.refresh_token.empty())
            value = refresh_token;
    if (spec.assertion)
        parameters.emplace_back("assertion", signed_jwt(*spec.assertion, fill_in, WallClock::now()));
    leave_out_empty(parameters);

    const bool is_form = spec.format == TokenSpec::Format::form;
    if (!spec.body.empty())
        body = filled_json(spec.body, fill_in);
    else if (parameters.empty())
        body.clear();
    else if (is_form)
        body = form_of(parameters);
    else
        body = Json(std::map<std::string, std::string>(parameters.begin(), parameters.end()))
                   .dump(-1, ' ', false, Json::error_handler_t::replace);
    if (!body.empty() && !has_header(request.headers, "Content-Type"))
        set_header(request.headers, "Content-Type", is_form ? "application/x-www-form-urlencoded" : "application/json");
    request.body = body;
    return request;
}

} // namespace reverse_etl
