/// What most unit tests include, compiled once. It saves time and nothing else: every file includes what it uses.

#include "precompiled/engine.h"

#include "engine/manifest/connector.h"
#include "engine/requests/dispatcher.h"

#include <boost/test/unit_test.hpp>

#include <nlohmann/json.hpp>
