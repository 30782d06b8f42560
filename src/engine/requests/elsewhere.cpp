#include "engine/requests/elsewhere.h"

#include <utility>
#include <vector>

namespace reverse_etl {

namespace {

std::unique_ptr<const Object> without_headers(const Object &home, const std::string &address) {
    auto object = std::make_unique<Object>();
    object->connector = home.connector;
    object->name = home.name;
    object->id = home.id;
    object->key = home.key;
    object->clear = home.clear;
    object->derived = home.derived;
    object->columns = home.columns;
    object->base_url = address.substr(0, address.find_first_of("/?#", address.find("://") + 3));
    return object;
}

} // namespace

Elsewhere::Elsewhere(const Object &home, const Authenticator &of_home, std::string where)
    : address(std::move(where)), object(without_headers(home, address)),
      authenticator(std::make_shared<Authenticator>(std::vector<AuthSpec>(1), Settings{{"address", address}},
                                                    of_home.words().storable())) {}

} // namespace reverse_etl
