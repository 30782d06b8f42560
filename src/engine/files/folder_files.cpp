#include "engine/files/folder_files.h"

#include "engine/text/errors.h"
#include "engine/text/utf8.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace reverse_etl {

namespace {

constexpr std::size_t bytes_of_read = 256 << 10;
/// A list of names is held as a whole.
constexpr std::size_t most_names = 200'000;

/// A descriptor that is closed with it.
class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0)
            close(number_);
    }
    Descriptor(const Descriptor &) = delete;
    Descriptor &operator=(const Descriptor &) = delete;
    int number() const { return number_; }

  private:
    const int number_;
};

std::string version_of(const struct stat &file) {
    return std::to_string(file.st_ino) + "." + std::to_string(file.st_mtim.tv_sec) + "." +
           std::to_string(file.st_mtim.tv_nsec);
}

class Bytes : public FileBytes {
  public:
    Bytes(int descriptor, FileEntry file, std::string address)
        : descriptor_(descriptor), file_(std::move(file)), address_(std::move(address)) {}

    bool next(std::string &bytes) override {
        if (is_over_)
            return false;
        bytes.resize(bytes_of_read);
        ssize_t got = 0;
        do
            got = read(descriptor_.number(), bytes.data(), bytes.size());
        while (got < 0 && errno == EINTR);
        if (got < 0)
            throw DestinationError(Fault::stopped, address_ + ": " + std::strerror(errno));
        bytes.resize(static_cast<std::size_t>(got));
        read_ += bytes.size();
        is_over_ = got == 0;
        struct stat now {};
        if (is_over_ &&
            (fstat(descriptor_.number(), &now) != 0 || version_of(now) != file_.version || read_ != file_.size))
            throw DestinationError(Fault::unintelligible, address_ + ": the file was changed while it was read");
        return !is_over_;
    }

  private:
    const Descriptor descriptor_;
    const FileEntry file_;
    const std::string address_;
    std::uint64_t read_ = 0;
    bool is_over_ = false;
};

} // namespace

std::string FolderFiles::address(const std::string &name) const {
    return as_utf8(root_ + "/" + name);
}

void FolderFiles::fail(const std::string &name, int error) const {
    throw DestinationError(
        error == ENOENT ? Fault::not_found : Fault::stopped,
        address(name) + ": " +
            (error == ELOOP ? std::string("a symbolic link is not followed") : std::strerror(error)));
}

/// The folder of that name, which is "" or has a slash at its end; -1 with errno where it cannot be opened. Each step
/// is made from the folder before it, so that none can be exchanged for a link meanwhile.
int FolderFiles::open_folder(const std::string &name) const {
    int folder = ::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (std::size_t begin = 0; folder >= 0 && begin < name.size();) {
        const std::size_t end = name.find('/', begin);
        const Descriptor above(folder);
        const std::string segment = name.substr(begin, end - begin);
        if (segment.empty() || segment == "." || segment == "..") {
            errno = ENOENT;
            return -1;
        }
        folder = openat(above.number(), segment.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        begin = end + 1;
    }
    return folder;
}

FileListing FolderFiles::list(const std::string &prefix, bool, const std::string &) {
    const std::size_t slash = prefix.rfind('/');
    const std::string folder = slash == prefix.npos ? "" : prefix.substr(0, slash + 1);
    const std::string beginning = prefix.substr(folder.size());
    const int descriptor = open_folder(folder);
    if (descriptor < 0 && (errno == ENOENT || errno == ENOTDIR) && !folder.empty())
        return {}; // as where an object store has nothing of that name
    DIR *entries = descriptor < 0 ? nullptr : fdopendir(descriptor);
    if (entries == nullptr) {
        const int error = errno;
        if (descriptor >= 0)
            close(descriptor);
        fail(folder, error);
    }
    struct Close {
        DIR *entries;
        ~Close() { closedir(entries); }
    } close_at_end{entries};
    FileListing listing;
    while (const dirent *entry = readdir(entries)) {
        const std::string name = entry->d_name;
        struct stat found {};
        if (name == "." || name == ".." || !name.starts_with(beginning) ||
            fstatat(dirfd(entries), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (S_ISDIR(found.st_mode))
            listing.folders.push_back(folder + name + "/");
        else if (S_ISREG(found.st_mode))
            listing.files.push_back({folder + name, static_cast<std::uint64_t>(found.st_size), version_of(found)});
        if (listing.files.size() + listing.folders.size() > most_names)
            throw DestinationError(Fault::stopped, address(folder) + ": it has more than " +
                                                       std::to_string(most_names) + " files that may be meant");
    }
    std::sort(listing.files.begin(), listing.files.end(),
              [](const FileEntry &one, const FileEntry &other) { return one.name < other.name; });
    std::sort(listing.folders.begin(), listing.folders.end());
    return listing;
}

std::unique_ptr<FileBytes> FolderFiles::open(const FileEntry &file) {
    const std::size_t slash = file.name.rfind('/');
    const std::size_t begin = slash == file.name.npos ? 0 : slash + 1;
    const Descriptor folder(open_folder(file.name.substr(0, begin)));
    if (folder.number() < 0)
        fail(file.name, errno);
    // A pipe would have us wait for whoever writes into it.
    const int descriptor =
        openat(folder.number(), file.name.c_str() + begin, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat found {};
    if (descriptor < 0 || fstat(descriptor, &found) != 0)
        fail(file.name, errno);
    auto bytes = std::make_unique<Bytes>(descriptor, file, address(file.name));
    if (!S_ISREG(found.st_mode))
        throw DestinationError(Fault::stopped, address(file.name) + ": it is no regular file");
    return bytes;
}

} // namespace reverse_etl
