#pragma once

#include "postgres/streams/streams.h"

#include <array>
#include <memory>

extern "C" {
#include "commands/trigger.h"
#include "executor/spi.h"
}

namespace reverse_etl {

/// What a session keeps of a trigger: what it is to do, analysed, and the plans that do it.
class StreamTrigger {
  public:
    explicit StreamTrigger(StreamDefinition definition);
    ~StreamTrigger();
    StreamTrigger(const StreamTrigger &) = delete;
    StreamTrigger &operator=(const StreamTrigger &) = delete;

    const StreamDefinition &definition() const { return definition_; }
    bool is_stale() const { return stale_; }
    void invalidate(Oid relation) {
        stale_ |= !OidIsValid(relation) || relation == definition_.source || relation == definition_.destination;
    }

    /// Queues what the trigger was fired for.
    void push(TriggerData *trigger);
    /// Queues a delete of every row that the source has.
    void push_all_as_deleted();

  private:
    enum Statement { insert, remove, remove_moved, remove_all };

    void analyse_once();
    void execute(Statement statement, int64 rows);
    std::string text(Statement statement) const;

    StreamDefinition definition_;
    MemoryContext memory_;
    std::unique_ptr<AnalysedStream> analysed_;
    std::array<SPIPlanPtr, 8> plans_{}; ///< two of each statement: for few rows and for many
    bool stale_ = false;
};

} // namespace reverse_etl
