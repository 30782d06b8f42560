#pragma once

#include "engine/text/json_fwd.h"

#include <nlohmann/json.hpp>
