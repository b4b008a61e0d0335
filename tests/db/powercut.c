/* Records how much of each file a process has made durable, so that a test can take back the rest, as a power cut does.
 *
 * kill -9 loses nothing that was written: the kernel keeps it. So this library, preloaded (LD_PRELOAD), stands before
 * fsync and fdatasync. What a file holds when a successful sync begins is durable when the sync returns; the largest
 * such size is kept for each file in a shared mapping of the file POWERCUT_RECORD, which outlives the process too.
 *
 * The record is an array of {name, size}: the file's last path component (Valkey never uses the number in
 * appendonly.aof.<n>.incr.aof twice in one folder) and its durable bytes. POWERCUT_DELAY_US holds these syncs back, which
 * stands for a slow disk.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES 1024
#define NAME_BYTES 56

struct durable {
    char name[NAME_BYTES];
    _Atomic uint64_t size;
};

static struct durable *record;
static atomic_flag naming = ATOMIC_FLAG_INIT;

__attribute__((constructor)) static void map_record(void) {
    const char *path = getenv("POWERCUT_RECORD");
    int fd = path ? open(path, O_RDWR | O_CREAT, 0600) : -1;
    if (fd < 0 || ftruncate(fd, FILES * sizeof *record) != 0) abort();
    record = mmap(NULL, FILES * sizeof *record, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (record == MAP_FAILED) abort();
    close(fd);
}

static int name_of(int fd, char *name) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return -1;
    path[length] = '\0';
    const char *last = strrchr(path, '/');
    if (!last || !strstr(last, ".incr.aof") || strlen(last + 1) >= NAME_BYTES) return -1;
    strcpy(name, last + 1);
    return 0;
}

static struct durable *entry_of(const char *name) {
    struct durable *entry = record;
    while (atomic_flag_test_and_set(&naming)) continue;
    while (entry->name[0] && strcmp(entry->name, name) != 0)
        if (++entry == record + FILES) abort();
    strcpy(entry->name, name);
    atomic_flag_clear(&naming);
    return entry;
}

static int recorded(int fd, const char *call) {
    int (*sync)(int) = (int (*)(int))dlsym(RTLD_NEXT, call);
    char name[NAME_BYTES];
    struct stat before;
    int known = name_of(fd, name) == 0 && fstat(fd, &before) == 0;
    const char *delay = getenv("POWERCUT_DELAY_US");
    if (delay && known) usleep((useconds_t)atoi(delay));
    int answer = sync(fd);
    if (answer == 0 && known) {
        struct durable *entry = entry_of(name);
        uint64_t size = (uint64_t)before.st_size, held = atomic_load(&entry->size);
        while (held < size && !atomic_compare_exchange_weak(&entry->size, &held, size)) continue;
    }
    return answer;
}

int fsync(int fd) { return recorded(fd, "fsync"); }
int fdatasync(int fd) { return recorded(fd, "fdatasync"); }
