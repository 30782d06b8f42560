#include "engine/text/xml_json.h"

#include "engine/text/json.h"
#include "engine/text/utf8.h"

#include <charconv>
#include <stdexcept>

namespace reverse_etl {

namespace {

constexpr int most_depth = 64;

class XmlReader {
  public:
    explicit XmlReader(std::string_view text) : text_(text) {
        if (text_.starts_with("\xEF\xBB\xBF"))
            text_.remove_prefix(3);
    }

    Json document() {
        skip_what_is_none();
        if (!text_.starts_with("<"))
            fail("it does not begin with an element");
        Json root = element(0).second;
        skip_what_is_none();
        if (!text_.empty())
            fail("something stands behind its root");
        return root.is_object() ? root : Json::object();
    }

  private:
    [[noreturn]] static void fail(const std::string &why) { throw std::runtime_error("the answer is no XML: " + why); }

    bool takes(std::string_view what) {
        const bool is_there = text_.starts_with(what);
        if (is_there)
            text_.remove_prefix(what.size());
        return is_there;
    }

    /// What stands before the mark, which is taken as well.
    std::string_view until(std::string_view mark) {
        const std::size_t end = text_.find(mark);
        if (end == text_.npos)
            fail("\"" + std::string(mark) + "\" is missing");
        const std::string_view taken = text_.substr(0, end);
        text_.remove_prefix(end + mark.size());
        return taken;
    }

    void skip_blanks() { text_.remove_prefix(std::min(text_.find_first_not_of(" \t\r\n"), text_.size())); }

    /// Blanks, comments and instructions.
    void skip_what_is_none() {
        for (skip_blanks(); text_.starts_with("<!--") || text_.starts_with("<?"); skip_blanks())
            skip_markup();
    }

    void skip_markup() {
        if (takes("<!--"))
            until("-->");
        else if (takes("<?"))
            until("?>");
        else
            fail("it has a declaration");
    }

    /// A name without its prefix.
    std::string name() {
        const std::size_t end = std::min(text_.find_first_of(" \t\r\n/>"), text_.size());
        const std::string_view whole = text_.substr(0, end);
        text_.remove_prefix(end);
        const std::string_view local = whole.substr(whole.rfind(':') + 1); // npos + 1 is 0
        if (local.empty())
            fail("an element has no name");
        return std::string(local);
    }

    void skip_attributes() {
        while (!text_.empty() && text_.front() != '>' && !text_.starts_with("/>")) {
            const char sign = text_.front();
            text_.remove_prefix(1);
            if (sign == '"' || sign == '\'')
                until(std::string_view(&sign, 1));
        }
    }

    std::pair<std::string, Json> element(int depth) {
        if (depth > most_depth)
            fail("it lies too deep");
        text_.remove_prefix(1);
        std::string own = name();
        skip_attributes();
        if (takes("/>"))
            return {std::move(own), ""};
        if (!takes(">"))
            fail("an element does not end");
        Json members = Json::object();
        std::string texts;
        while (!text_.starts_with("</")) {
            if (text_.empty())
                fail("an element does not end");
            if (takes("<![CDATA["))
                texts += until("]]>");
            else if (text_.starts_with("<!") || text_.starts_with("<?"))
                skip_markup();
            else if (text_.front() == '<')
                add(members, element(depth + 1));
            else
                add_text(texts);
        }
        text_.remove_prefix(2);
        if (name() != own)
            fail("an element ends that did not begin");
        skip_blanks();
        if (!takes(">"))
            fail("an element does not end");
        if (members.empty())
            return {std::move(own), std::move(texts)};
        return {std::move(own), std::move(members)};
    }

    static void add(Json &members, std::pair<std::string, Json> one) {
        const auto found = members.find(one.first);
        if (found == members.end()) {
            members[one.first] = std::move(one.second);
            return;
        }
        // No element is an array by itself.
        if (!found->is_array())
            *found = Json::array({std::move(*found)});
        found->push_back(std::move(one.second));
    }

    void add_text(std::string &texts) {
        std::string_view taken = text_.substr(0, text_.find('<'));
        text_.remove_prefix(taken.size());
        while (!taken.empty()) {
            const std::size_t mark = std::min(taken.find('&'), taken.size());
            texts += taken.substr(0, mark);
            taken.remove_prefix(mark);
            if (taken.empty())
                return;
            const std::size_t end = taken.find(';');
            if (end == taken.npos)
                fail("a reference does not end");
            add_reference(texts, taken.substr(1, end - 1));
            taken.remove_prefix(end + 1);
        }
    }

    static void add_reference(std::string &texts, std::string_view name) {
        static constexpr std::pair<std::string_view, char> known[] = {
            {"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
        for (const auto &[written, sign] : known)
            if (name == written) {
                texts += sign;
                return;
            }
        if (!name.starts_with("#"))
            fail("a reference is not known");
        const bool is_hex = name.starts_with("#x");
        const std::string_view digits = name.substr(is_hex ? 2 : 1);
        char32_t sign = 0;
        unsigned long number = 0;
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number, is_hex ? 16 : 10);
        sign = static_cast<char32_t>(number);
        const bool is_surrogate = number >= 0xD800 && number < 0xE000;
        if (digits.empty() || read.ptr != digits.data() + digits.size() || read.ec != std::errc() || number == 0 ||
            number > 0x10FFFF || is_surrogate)
            fail("a reference is no character");
        append_utf8(texts, sign);
    }

    std::string_view text_;
};

} // namespace

std::string json_of_xml(std::string_view text) {
    return XmlReader(text).document().dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace reverse_etl
