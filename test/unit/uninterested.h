#pragma once

#include "engine/queue/delivery_lane.h"

namespace reverse_etl {

/// Observes a lane for a test that looks at its requests and outcomes alone.
class Uninterested final : public LaneObserver {
    void begin() override {}
    void end() override {}
    void seen(std::uint64_t) override {}
    void accepted() override {}
    void rejected() override {}
    void sent(std::size_t, bool) override {}
    void answered(std::size_t, const Response &, const Verdict &) override {}
};

} // namespace reverse_etl
