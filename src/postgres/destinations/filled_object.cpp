#include "postgres/destinations/filled_object.h"

#include <map>
#include <tuple>

namespace reverse_etl {

namespace {

/// More destinations than most sessions ever use; past it the cache starts anew.
constexpr std::size_t most_objects = 64;

} // namespace

std::shared_ptr<const Object> filled_object(const std::shared_ptr<const Connector> &connector, const std::string &name,
                                            const Settings &settings) {
    // A connector that was replaced is another one. Its own is kept here, so that no later one has its address.
    using Identity = std::tuple<std::shared_ptr<const Connector>, std::string, Settings>;
    static std::map<Identity, std::shared_ptr<const Object>> known;
    const Identity identity(connector, name, settings);
    if (auto found = known.find(identity); found != known.end())
        return found->second;
    auto object = std::make_shared<const Object>(connector->object(name, settings));
    if (known.size() >= most_objects)
        known.clear();
    return known[identity] = std::move(object);
}

} // namespace reverse_etl
