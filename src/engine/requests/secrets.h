#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace reverse_etl {

/// What of an account nobody may read, to be hidden wherever a destination repeats it: as it is, percent-encoded, with
/// JSON's or HTML's escapes, within base64, in whatever case.
class Secrets {
  public:
    /// A text of fewer than 4 characters hides nothing: it guards nothing either, and half of all words would have
    /// holes. One of fewer than 8 counts where it stands by itself, not within a longer word.
    void add(std::string_view secret);
    /// One that passes, such as an access token: only the latest few are known.
    void add_passing(std::string_view secret);

    /// The text with stars in place of each. What stands at the text's very end and may be the beginning of one that
    /// was cut is hidden as well.
    std::string hide(std::string_view text) const;

  private:
    struct Spelling {
        std::string text; ///< ASCII letters in lower case
        bool alone = false;
    };
    using Spellings = std::vector<Spelling>;

    static Spellings spellings_of(std::string_view secret);
    static std::size_t longest_match(const Spellings &spellings, std::string_view text, std::size_t at);

    Spellings lasting_;
    std::deque<Spellings> passing_;
};

} // namespace reverse_etl
