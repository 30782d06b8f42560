#include "postgres/sources/statement_note.h"

#include "engine/text/json.h"
#include "postgres/border/border.h"
#include "postgres/border/sql.h"
#include "postgres/shared/worker_control.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

extern "C" {
#include "catalog/pg_type.h"
#include "common/file_perm.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/fd.h"
#include "utils/timestamp.h"
}

namespace reverse_etl {

namespace {

/// Postgres leaves it out of base backups, and does not empty it.
const std::string directory = PG_STAT_TMP_DIR;
constexpr const char *ending = ".json";
/// A statement's text has a bound of its own.
constexpr std::size_t most_bytes = 64 << 20;

std::string beginning() {
    return "reverse_etl." + std::to_string(MyDatabaseId) + ".";
}

std::string path_of(const std::string &id) {
    return directory + "/" + beginning() + id + ending;
}

std::string text_of(const NotedStatement &noted) {
    Json parameters = Json::array();
    for (const StatementParameter &one : noted.sql.parameters)
        parameters.push_back({one.type, one.value});
    const Json whole = {{"server", noted.server},    {"role", noted.role},
                        {"pid", noted.pid},          {"process_started", noted.process_started},
                        {"until", noted.until},      {"sql", noted.sql.text},
                        {"parameters", parameters},  {"schema", noted.settings.schema},
                        {"tag", noted.settings.tag}, {"seconds", noted.settings.longest.count()},
                        {"id", noted.settings.id},   {"kept", noted.kept}};
    return whole.dump(-1, ' ', false, Json::error_handler_t::replace);
}

NotedStatement read_note(const std::string &text) {
    const Json whole = Json::parse(text);
    NotedStatement noted;
    noted.server = whole.at("server").get<Oid>();
    noted.role = whole.at("role").get<Oid>();
    noted.pid = whole.at("pid").get<int>();
    noted.process_started = whole.at("process_started").get<std::int64_t>();
    noted.until = whole.at("until").get<std::int64_t>();
    noted.sql.text = whole.at("sql").get<std::string>();
    for (const Json &one : whole.at("parameters"))
        noted.sql.parameters.push_back({one.at(0).get<std::string>(), one.at(1).get<std::string>()});
    noted.settings = {whole.at("schema").get<std::string>(), whole.at("tag").get<std::string>(),
                      std::chrono::seconds(whole.at("seconds").get<std::int64_t>()), whole.at("id").get<std::string>()};
    noted.kept = whole.at("kept").get<RequestValues>();
    return noted;
}

/// "" for what is gone meanwhile, or no file that can be read.
std::string content_of(const std::string &path) {
    std::string content;
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return "";
    char piece[65536];
    ssize_t size = 0;
    while (content.size() < most_bytes && (size = read(file, piece, sizeof(piece))) > 0)
        content.append(piece, static_cast<std::size_t>(size));
    close(file);
    return content;
}

bool is_written(int file, const std::string &text) {
    for (std::size_t done = 0; done < text.size();) {
        const ssize_t size = ::write(file, text.data() + done, text.size() - done);
        if (size <= 0)
            return false;
        done += static_cast<std::size_t>(size);
    }
    return pg_fsync(file) == 0;
}

/// Writes the file anew, whole or not at all, and for good. It asks nothing of Postgres that could raise. Whether it
/// could; if not, errno says why.
bool write_whole(const std::string &path, const std::string &text) {
    const std::string fresh = path + ".new";
    const int file = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, pg_file_create_mode);
    if (file < 0)
        return false;
    const bool is_whole = is_written(file, text);
    if (close(file) != 0 || !is_whole || rename(fresh.c_str(), path.c_str()) != 0)
        return false;
    const int folder = open(directory.c_str(), O_RDONLY | O_CLOEXEC);
    const bool is_kept = folder >= 0 && pg_fsync(folder) == 0;
    if (folder >= 0)
        close(folder);
    return is_kept;
}

/// Whether that process is there yet, and no other of its number.
bool is_alive(const NotedStatement &noted) {
    AsMachine machine;
    return pg_call([&] {
        sql::execute("SELECT EXISTS (SELECT FROM pg_stat_get_activity($1) WHERE backend_start = $2)",
                     {sql::int4(noted.pid), sql::timestamptz(noted.process_started)});
        return DatumGetBool(sql::column(0, 1));
    });
}

std::vector<std::string> paths() {
    std::vector<std::string> found;
    const std::string begin = beginning();
    pg_call([&] {
        DIR *all = AllocateDir(directory.c_str());
        while (dirent *one = ReadDirExtended(all, directory.c_str(), LOG)) {
            const std::string_view name = one->d_name;
            if (name.starts_with(begin) && name.ends_with(ending))
                found.push_back(directory + "/" + one->d_name);
        }
        FreeDir(all);
    });
    return found;
}

} // namespace

StatementNote::StatementNote(Oid server, Oid role, const SqlText &sql, const StatementSettings &settings) {
    noted_.server = server;
    noted_.role = role;
    noted_.pid = MyProcPid;
    noted_.process_started = MyStartTimestamp;
    noted_.until = GetCurrentTimestamp() + (settings.longest.count() + 60) * USECS_PER_SEC;
    noted_.sql = sql;
    noted_.settings = settings;
    write();
    // After a crash Postgres starts those workers again that were there.
    if (shared_memory::is_there() && pid_of_worker() == 0)
        pg_call([] { start_worker(MyDatabaseId, MyDatabaseTableSpace); });
}

void StatementNote::keep(const RequestValues &kept) {
    if (!is_there_ || kept == noted_.kept)
        return;
    noted_.kept = kept;
    write();
}

void StatementNote::write() {
    const std::string path = path_of(noted_.settings.id);
    is_there_ = true; // or a part of it
    if (!write_whole(path, text_of(noted_)))
        pg_call([&] { ereport(LOG, (errcode_for_file_access(), errmsg("could not write file \"%s\": %m", path))); });
}

void StatementNote::leave() noexcept {
    if (!std::exchange(is_there_, false))
        return;
    try {
        noted_.pid = 0;
        write_whole(path_of(noted_.settings.id), text_of(noted_));
        wake_worker();
    } catch (...) {
        // It is found when this process has ended.
    }
}

void StatementNote::remove() noexcept {
    if (std::exchange(is_there_, false))
        statement_notes::remove(noted_.settings.id);
}

void statement_notes::remove(const std::string &id) noexcept {
    const std::string path = path_of(id);
    unlink(path.c_str());
    unlink((path + ".new").c_str());
}

std::vector<NotedStatement> statement_notes::left_behind() {
    std::vector<NotedStatement> left;
    for (const std::string &path : paths()) {
        std::optional<NotedStatement> noted;
        try {
            noted = read_note(content_of(path));
        } catch (const Json::exception &) {
            continue; // somebody else's, or gone
        }
        if (!is_alive(*noted))
            left.push_back(std::move(*noted));
    }
    return left;
}

} // namespace reverse_etl
