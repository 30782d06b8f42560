#include "postgres/destinations/fingerprint.h"

#include "postgres/border/settings.h"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

extern "C" {
#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "lib/stringinfo.h"
#include "utils/timestamp.h"
}

namespace reverse_etl {

namespace {

const char *host() {
    if (settings::host != nullptr && settings::host[0] != '\0')
        return settings::host;
    char name[HOST_NAME_MAX + 1] = "";
    if (gethostname(name, sizeof(name) - 1) != 0)
        ereport(ERROR, (errcode_for_file_access(), errmsg("%s: %m", ServerText("could not get the name of the host"))));
    return to_server_legible(name).c_str();
}

/// What the system says has no encoding: it is taken for UTF-8. Resolved once, for it stays where it is as long as the
/// server runs, and each link on the way costs.
const char *data_directory() {
    static const char *const path = realpath(DataDir, nullptr);
    return to_server_legible(path != nullptr ? path : DataDir).c_str();
}

TimestampTz timestamp(const struct statx_timestamp &time) {
    constexpr std::int64_t epochs_apart = std::int64_t{POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE} * SECS_PER_DAY;
    return (time.tv_sec - epochs_apart) * USECS_PER_SEC + time.tv_nsec / 1000;
}

void read_control_file(Fingerprint &fingerprint) {
    const char *path = psprintf("%s/%s", DataDir, XLOG_CONTROL_FILE);
    struct statx file;
    if (statx(AT_FDCWD, path, 0, STATX_INO | STATX_BTIME, &file) != 0)
        ereport(ERROR, (errcode_for_file_access(), errmsg("could not stat file \"%s\": %m", ServerText(path))));
    fingerprint.control_file = static_cast<std::int64_t>(file.stx_ino);
    fingerprint.control_file_created = (file.stx_mask & STATX_BTIME) != 0 ? timestamp(file.stx_btime) : DT_NOBEGIN;
}

/// As it is told to people. A file system that tells when a file was made is believed; where it does not, numbers have
/// to do, which another file may get again.
const char *control_file(const Fingerprint &fingerprint, const Fingerprint &other) {
    if (fingerprint.control_file_created == DT_NOBEGIN || other.control_file_created == DT_NOBEGIN)
        return psprintf("inode " INT64_FORMAT, fingerprint.control_file);
    return psprintf("created %s", timestamptz_to_str(fingerprint.control_file_created));
}

void add_difference(StringInfo list, const char *part, const char *present, const char *confirmed, bool with_values) {
    if (std::strcmp(present, confirmed) == 0)
        return;
    appendStringInfo(list, "%s%s", list->len == 0 ? "" : ", ", part);
    if (with_values)
        appendStringInfo(list, " %s (was %s)", present, confirmed);
}

} // namespace

Fingerprint present_fingerprint() {
    Fingerprint present;
    present.system_identifier = static_cast<std::int64_t>(GetSystemIdentifier());
    present.database = MyDatabaseId;
    present.host = host();
    present.data_directory = data_directory();
    read_control_file(present);
    return present;
}

const char *differences(const Fingerprint &present, const Fingerprint &confirmed, bool with_values) {
    StringInfoData list;
    initStringInfo(&list);
    add_difference(&list, "system identifier", psprintf(INT64_FORMAT, present.system_identifier),
                   psprintf(INT64_FORMAT, confirmed.system_identifier), with_values);
    add_difference(&list, "database", psprintf("%u", present.database), psprintf("%u", confirmed.database),
                   with_values);
    add_difference(&list, "host", psprintf("\"%s\"", present.host), psprintf("\"%s\"", confirmed.host), with_values);
    add_difference(&list, "data directory", psprintf("\"%s\"", present.data_directory),
                   psprintf("\"%s\"", confirmed.data_directory), with_values);
    add_difference(&list, "file global/pg_control", control_file(present, confirmed), control_file(confirmed, present),
                   with_values);
    return list.data;
}

} // namespace reverse_etl
