#include "postgres/border/border.h"
#include "postgres/border/names.h"
#include "postgres/border/schema_version.h"
#include "postgres/border/sql_function.h"
#include "postgres/streams/stream_trigger.h"

#include <unordered_map>

extern "C" {
#include "catalog/namespace.h"
#include "catalog/pg_trigger.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/varlena.h"
}

namespace reverse_etl {

namespace {

/// A session's triggers, by their oid.
using Triggers = std::unordered_map<Oid, std::shared_ptr<StreamTrigger>>;

Triggers &triggers() {
    static Triggers kept;
    return kept;
}

void forget_relation(Datum, Oid relation) {
    for (auto &[oid, trigger] : triggers())
        trigger->invalidate(relation);
}

/// A schema was renamed: the statements name their tables with their schemas.
void forget_all(Datum, int, uint32) {
    forget_relation(0, InvalidOid);
}

/// Whoever holds a trigger may go on using it when it is no longer kept. nullptr if it is not, or if it has changed.
std::shared_ptr<StreamTrigger> kept(const Trigger &trigger) {
    auto found = triggers().find(trigger.tgoid);
    return found == triggers().end() || found->second->is_stale() ? nullptr : found->second;
}

std::shared_ptr<StreamTrigger> keep(const Trigger &trigger, StreamDefinition stream) {
    static bool watches = false;
    if (!watches)
        pg_call([] {
            CacheRegisterRelcacheCallback(forget_relation, 0);
            CacheRegisterSyscacheCallback(NAMESPACEOID, forget_all, 0);
        });
    watches = true;
    return triggers()[trigger.tgoid] = std::make_shared<StreamTrigger>(std::move(stream));
}

TriggerData *trigger_data(FunctionCallInfo call) {
    if (!CALLED_AS_TRIGGER(call))
        throw Error(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED, "this function is for triggers", "",
                    "Use CREATE TRIGGER ... EXECUTE FUNCTION.");
    return reinterpret_cast<TriggerData *>(call->context);
}

std::string name_of(const TriggerData &trigger) {
    return ServerText(trigger.tg_trigger->tgname).utf8();
}

/// The arguments of push.
StreamDefinition definition_of(const TriggerData &trigger) {
    const Trigger &written = *trigger.tg_trigger;
    if (written.tgnargs < 1 || written.tgnargs > 2)
        throw Error(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
                    "trigger \"" + name_of(trigger) + "\" must give push a destination and a mapping", "",
                    "For example EXECUTE FUNCTION reverse_etl.push('crm.contacts', 'SELECT email FROM changed').");
    StreamDefinition stream;
    stream.source = RelationGetRelid(trigger.tg_relation);
    stream.destination = pg_call([&] {
        text *name = DatumGetTextPP(text_datum(ServerText(written.tgargs[0])));
        return RangeVarGetRelid(makeRangeVarFromNameList(textToQualifiedNameList(name)), AccessShareLock, false);
    });
    stream.mapping = written.tgnargs == 2 ? ServerText(written.tgargs[1]).utf8() : "";
    stream.on_delete = TRIGGER_FOR_DELETE(written.tgtype) || TRIGGER_FOR_TRUNCATE(written.tgtype) ? "delete" : "ignore";
    return stream;
}

void check_timing(const TriggerData &trigger) {
    bool truncate = TRIGGER_FIRED_BY_TRUNCATE(trigger.tg_event);
    if (TRIGGER_FIRED_AFTER(trigger.tg_event) != truncate && !TRIGGER_FIRED_INSTEAD(trigger.tg_event))
        return;
    throw Error(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED, "trigger \"" + name_of(trigger) + "\" must be fired " +
                                                               (truncate ? "BEFORE TRUNCATE" : "AFTER the change"));
}

const char *event_name(TriggerEvent event) {
    return TRIGGER_FIRED_BY_INSERT(event)   ? "insert"
           : TRIGGER_FIRED_BY_UPDATE(event) ? "update"
           : TRIGGER_FIRED_BY_DELETE(event) ? "delete"
                                            : "truncate";
}

/// Whether it is one of the triggers that stream_table made, and not one by which somebody would borrow the rights of
/// the stream's owner. Names of triggers are unique on a table; a stream without one of its triggers is dropped.
void check_is_made_by(const StreamDefinition &stream, const TriggerData &trigger) {
    std::string event = event_name(trigger.tg_event);
    bool made = stream.source == RelationGetRelid(trigger.tg_relation) &&
                stream.name + "_" + event == name_of(trigger) && TRIGGER_FIRED_FOR_STATEMENT(trigger.tg_event) &&
                (event != "delete" || stream.deletes()) && (event != "truncate" || stream.on_truncate != "ignore");
    if (!made)
        throw Error(ERRCODE_INSUFFICIENT_PRIVILEGE,
                    "trigger \"" + name_of(trigger) + "\" is not one of stream \"" + stream.name + "\"",
                    "Only the triggers that stream_table made run with the rights of the stream's owner.",
                    "Use the function reverse_etl.push in triggers of your own.");
}

/// A schema was restored without its data, for example to develop with it: changes must go through there.
void warn_of_missing_stream(const Trigger &trigger, const std::string &stream) {
    pg_call([&] {
        ereport(WARNING, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("stream \"%s\" does not exist", stream),
                          errdetail("Trigger \"%s\" is left of it, and sends nothing.", ServerText(trigger.tgname)),
                          errhint("Drop the trigger.")));
    });
}

void check_owner(const StreamDefinition &stream) {
    if (!pg_call([&] { return SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(stream.owner)); }))
        throw Error(ERRCODE_UNDEFINED_OBJECT, "the owner of stream \"" + stream.name + "\" no longer exists", "",
                    "Call reverse_etl.unstream_table('" + stream.name + "'), and stream_table as another role.");
}

void refuse_truncate(const StreamDefinition &stream) {
    throw Error(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                "cannot truncate " + qualified_name(stream.source) + " because stream \"" + stream.name + "\" reads it",
                "TRUNCATE does not tell which rows it removes.",
                "Use DELETE, or make the stream with on_truncate => 'delete' or 'ignore'.");
}

void fire(StreamTrigger &stream, TriggerData *data) {
    if (!TRIGGER_FIRED_BY_TRUNCATE(data->tg_event))
        stream.push(data);
    else if (stream.definition().on_truncate == "refuse")
        refuse_truncate(stream.definition());
    else
        stream.push_all_as_deleted();
}

Datum push_changes(FunctionCallInfo call) {
    check_version(); // before the locks of what is known already
    TriggerData *data = trigger_data(call);
    check_timing(*data);
    std::shared_ptr<StreamTrigger> stream = kept(*data->tg_trigger);
    if (stream == nullptr)
        stream = keep(*data->tg_trigger, definition_of(*data));
    fire(*stream, data);
    return PointerGetDatum(nullptr);
}

Datum push_stream(FunctionCallInfo call) {
    check_version();
    TriggerData *data = trigger_data(call);
    check_timing(*data);
    std::shared_ptr<StreamTrigger> stream = kept(*data->tg_trigger);
    if (stream == nullptr) {
        std::string name = data->tg_trigger->tgnargs == 1 ? ServerText(data->tg_trigger->tgargs[0]).utf8() : "";
        std::optional<StreamDefinition> found = find_stream(name);
        if (!found) {
            warn_of_missing_stream(*data->tg_trigger, name);
            return PointerGetDatum(nullptr);
        }
        check_owner(*found);
        stream = keep(*data->tg_trigger, *std::move(found));
    }
    check_is_made_by(stream->definition(), *data);
    fire(*stream, data);
    return PointerGetDatum(nullptr);
}

} // namespace

/// CREATE TRIGGER ... EXECUTE FUNCTION reverse_etl.push(destination, mapping), which people write by hand. It runs as
/// whoever fires it.
SQL_FUNCTION(reverse_etl_push) {
    return guard([&] { return push_changes(fcinfo); });
}

/// Of the triggers that reverse_etl.stream_table makes: push_stream(name). It runs as the stream's owner.
SQL_FUNCTION(reverse_etl_push_stream) {
    return guard([&] { return push_stream(fcinfo); });
}

} // namespace reverse_etl
