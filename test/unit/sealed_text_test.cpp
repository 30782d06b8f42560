#include "engine/text/sealed_text.h"

#include <boost/test/unit_test.hpp>

using namespace reverse_etl;

BOOST_AUTO_TEST_SUITE(sealed_text)

BOOST_AUTO_TEST_CASE(opens_with_its_key_at_its_place) {
    const std::string key = key_of("a secret of a file"), other = key_of("another");
    for (const std::string &text :
         {std::string(), std::string("token"), std::string(100'000, 'x'), std::string("\0\xff", 2)}) {
        const std::string kept = sealed(text, key, "place");
        BOOST_TEST((opened(kept, key, "place") == text));
        BOOST_TEST(!opened(kept, other, "place"));
        BOOST_TEST(!opened(kept, "", "place"));
        BOOST_TEST(!opened(kept, key, "elsewhere"));
        BOOST_TEST(kept != sealed(text, key, "place"));
        if (!text.empty())
            BOOST_TEST(kept.find(text) == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(what_was_changed_does_not_open) {
    const std::string key = key_of("k"), kept = sealed("token", key, "place");
    for (std::size_t i = 0; i < kept.size(); i++) {
        std::string changed = kept;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        BOOST_TEST((opened(changed, key, "place") != std::optional<std::string>("token")), i);
        BOOST_TEST(!opened(kept.substr(0, i), key, "place"), i);
    }
}

BOOST_AUTO_TEST_CASE(without_a_key_it_is_as_it_is) {
    BOOST_TEST((opened(sealed("token", "", "place"), "", "place") == "token"));
    // A key that is configured later reads what was kept before.
    BOOST_TEST((opened(sealed("token", "", "place"), key_of("k"), "place") == "token"));
    BOOST_TEST(!opened("", key_of("k"), "place"));
}

BOOST_AUTO_TEST_SUITE_END()
