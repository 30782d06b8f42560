#include "hubspot_inputs.h"

#include "text.h"

namespace reverse_etl::sandbox::crm {

void lower_in_place(std::string &text, std::size_t begin) {
    for (std::size_t at = begin; at < text.size(); ++at)
        if (text[at] >= 'A' && text[at] <= 'Z')
            text[at] += 'a' - 'A';
}

bool is_email(std::string_view text) {
    return text.find('@') != text.npos && text.find(' ') == text.npos;
}

RowError invalid_email(std::string_view email) {
    return invalid_property("INVALID_EMAIL", "email", "Email address " + std::string(email) + " is invalid");
}

namespace {

constexpr std::size_t batch_limit = 100;

std::string_view string_in(simdjson::ondemand::value value, const Request &request) {
    const char *at = value.raw_json_token().data();
    std::string_view text;
    if (value.get_string().get(text))
        throw invalid_json(request, at, "Cannot deserialize value of type `java.lang.String`");
    return text;
}

// Checks the property whose value ends Inputs::text.
void check_property(std::string_view name, std::string_view object, std::size_t value_begin, Inputs &inputs,
                    Input &row) {
    if (name == "email" && object == "contacts") {
        lower_in_place(inputs.text, value_begin);
        std::string_view email = std::string_view(inputs.text).substr(value_begin);
        if (!is_empty_value(email) && !is_email(email) && !row.error)
            row.error = invalid_email(plain(email));
    } else if (name.starts_with("unknown_") && !row.error) {
        row.error =
            invalid_property("PROPERTY_DOESNT_EXIST", name, "Property \"" + std::string(name) + "\" does not exist");
    }
}

void read_properties(simdjson::ondemand::value value, std::string_view object, const Request &request, Inputs &inputs,
                     Input &row) {
    const char *at = value.raw_json_token().data();
    if (value.type() != simdjson::ondemand::json_type::object)
        throw invalid_json(request, at,
                           "Cannot deserialize value of type "
                           "`java.util.LinkedHashMap<java.lang.String,java.lang.String>`");
    row.begin = inputs.text.size();
    inputs.text += '{';
    for (simdjson::ondemand::field field : value.get_object()) {
        if (inputs.text.size() > row.begin + 1)
            inputs.text += ',';
        std::size_t name_begin = inputs.text.size();
        append_name(inputs.text, field);
        std::size_t name_end = inputs.text.size();
        inputs.text += ':';
        simdjson::ondemand::value content = field.value();
        simdjson::ondemand::json_type type = content.type();
        if (type != simdjson::ondemand::json_type::string && type != simdjson::ondemand::json_type::null)
            throw invalid_json(request, content.raw_json_token().data(),
                               "Cannot deserialize value of type `java.lang.String`");
        append_compact(inputs.text, content);
        row.has_empty = row.has_empty || is_empty_value(std::string_view(inputs.text).substr(name_end + 1));
        std::string_view name = std::string_view(inputs.text).substr(name_begin + 1, name_end - name_begin - 2);
        check_property(name, object, name_end + 1, inputs, row);
    }
    inputs.text += '}';
    row.end = inputs.text.size();
}

Input read_input(simdjson::ondemand::value value, std::string_view object, const Request &request, Inputs &inputs) {
    Input row;
    for (simdjson::ondemand::field field : value.get_object()) {
        std::string_view name = field.unescaped_key();
        if (name == "properties")
            read_properties(field.value(), object, request, inputs, row);
        else if (name == "id")
            row.id = string_in(field.value(), request);
        else if (name == "idProperty")
            row.id_property = string_in(field.value(), request);
        else if (name == "objectWriteTraceId")
            row.trace = string_in(field.value(), request);
    }
    return row;
}

} // namespace

void read_inputs(World &world, const Request &request, std::string_view object, Inputs &inputs) try {
    bool found = false;
    simdjson::ondemand::document document = world.json.parse(request.body);
    for (simdjson::ondemand::field field : document.get_object()) {
        std::string_view name = field.unescaped_key();
        if (name == "inputs") {
            found = true;
            for (simdjson::ondemand::value value : field.value().get_array())
                inputs.rows.push_back(read_input(value, object, request, inputs));
        } else if (name == "properties") {
            for (simdjson::ondemand::value value : field.value().get_array())
                inputs.properties.emplace_back(string_in(value, request));
        } else if (name == "idProperty") {
            inputs.id_property = string_in(field.value(), request);
        }
    }
    require_end(document);
    if (!found)
        throw invalid_json("Some required fields were not set: [inputs]");
    if (inputs.rows.size() > batch_limit)
        throw Refusal{400, "VALIDATION_ERROR",
                      "The maximum number of inputs supported in a batch request is 100. "
                      "Please reduce the number of items and try again"};
} catch (const simdjson::simdjson_error &error) {
    throw invalid_json(request, request.body.data(), error.what());
}

Input read_single(World &world, const Request &request, std::string_view object, Inputs &inputs) try {
    return read_input(world.json.parse(request.body).get_value(), object, request, inputs);
} catch (const simdjson::simdjson_error &error) {
    throw invalid_json(error.what());
}

} // namespace reverse_etl::sandbox::crm
