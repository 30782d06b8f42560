# Every C++ source, listed once: the Makefile includes this file and CMake reads it.
ENGINE_SOURCES = \
    src/engine/answer.cpp \
    src/engine/authenticator.cpp \
    src/engine/backoff.cpp \
    src/engine/batch.cpp \
    src/engine/compiled_operation.cpp \
    src/engine/connector.cpp \
    src/engine/delivery.cpp \
    src/engine/dispatcher.cpp \
    src/engine/exchange.cpp \
    src/engine/fetch.cpp \
    src/engine/json_text.cpp \
    src/engine/manifest_node.cpp \
    src/engine/operation_reader.cpp \
    src/engine/outcome_reader.cpp \
    src/engine/placeholders.cpp \
    src/engine/rate_limiter.cpp \
    src/engine/row_writer.cpp \
    src/engine/transport.cpp \
    src/engine/value_encoding.cpp \
    src/engine/verdict.cpp \

POSTGRES_SOURCES = \
    src/postgres/border.cpp \
    src/postgres/column_encoders.cpp \
    src/postgres/connectors.cpp \
    src/postgres/destination.cpp \
    src/postgres/explain.cpp \
    src/postgres/import_schema.cpp \
    src/postgres/latch_waiter.cpp \
    src/postgres/modify.cpp \
    src/postgres/module.cpp \
    src/postgres/options.cpp \
    src/postgres/plan_modify.cpp \
    src/postgres/plan_scan.cpp \
    src/postgres/push.cpp \
    src/postgres/record_encoder.cpp \
    src/postgres/rejected_rows.cpp \
    src/postgres/row_encoder.cpp \
    src/postgres/scan.cpp \
    src/postgres/session.cpp \
    src/postgres/settings.cpp \
    src/postgres/shared_memory.cpp \
    src/postgres/statement_hooks.cpp \
    src/postgres/value_decoder.cpp \
    src/postgres/value_encoder.cpp \
    src/postgres/value_encoder_datetimes.cpp \
    src/postgres/value_encoder_nested.cpp \
    src/postgres/value_encoder_numbers.cpp \
    src/postgres/value_encoder_strings.cpp \
    src/postgres/worker.cpp \
    src/postgres/worker_control.cpp \
    src/postgres/worker_launcher.cpp \

