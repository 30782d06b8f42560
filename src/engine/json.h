#pragma once

#include "engine/json_fwd.h"

#include <nlohmann/json.hpp>
