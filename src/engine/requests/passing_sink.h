#pragma once

#include "engine/requests/delivery.h"

namespace reverse_etl {

/// Hands on what becomes of rows. Reactions end here: what is tried is tried once.
class PassingSink : public OutcomeSink {
  public:
    explicit PassingSink(OutcomeSink &sink) : sink_(sink) {}
    void accepted(std::uint64_t row, const std::string &id) override { sink_.accepted(row, id); }
    void rejected(std::uint64_t row, const std::string &reason, long status) override {
        sink_.rejected(row, reason, status);
    }
    void absent(std::uint64_t row) override { sink_.absent(row); }
    void unknown(const Batch &batch, const std::string &reason, long status) override {
        sink_.unknown(batch, reason, status);
    }
    void put_off(const Batch &batch) override { sink_.put_off(batch); }
    void failed(const Batch &batch, const DestinationError &error) override { sink_.failed(batch, error); }

  protected:
    OutcomeSink &sink_;
};

} // namespace reverse_etl
