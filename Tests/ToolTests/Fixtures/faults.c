// What disks, kernels and clocks do to a run, at a moment that a test chooses. Preloaded into a tool:
//
//   FAULT_AT=N      the Nth call that writes to a file, names one, or brings one to disk, counted from 1 …
//   FAULT=full      … fails, and so does every later one, for want of space
//   FAULT=kill      … kills the process before it, as kill -9 does
//   FAULT_COUNT=F   at its end the process writes the number of such calls to the file F
//   FAULT=clock     the wall clock jumps by days at every look, back and forth
//   FAULT=stall     reading a file FAULT_FILE takes most of a second, on clocks that run forty times as fast
//   FAULT=stall-list, stall-look, stall-open
//                   so do listing a folder FAULT_FILE, asking of what kind it is, and opening it
//   FAULT=touch     somebody writes to a file FAULT_FILE whenever it has been read
//
// Calls on standard streams, pipes and devices are not counted.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static atomic_long calls;

static int fault(void) {
  const long n = atomic_fetch_add(&calls, 1) + 1;
  const char *at = getenv("FAULT_AT"), *kind = getenv("FAULT");
  if (!at || !kind || n < atol(at)) return 0;
  if (!strcmp(kind, "kill")) syscall(SYS_kill, getpid(), SIGKILL);
  if (strcmp(kind, "full")) return 0;
  errno = ENOSPC;
  return 1;
}

static int is_file(int fd) {
  struct stat status;
  return fd > 2 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t count) {
  if (is_file(fd) && fault()) return -1;
  return syscall(SYS_write, fd, bytes, count);
}

// Whether this is the file that FAULT_FILE names, by the end of its path.
static int is_path(const char *path) {
  const char *end = getenv("FAULT_FILE");
  const size_t length = strlen(path);
  return end && length >= strlen(end) && !strcmp(path + length - strlen(end), end);
}

static int is_named(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return is_path(path);
}

static int is_kind(const char *name) {
  const char *kind = getenv("FAULT");
  return kind && !strcmp(kind, name);
}

// A disk that stalls once.
static void stall(void) {
  static atomic_long stalls;
  if (!atomic_fetch_add(&stalls, 1)) nanosleep(&(struct timespec){.tv_nsec = 800000000}, NULL);
}

ssize_t read(int fd, void *bytes, size_t count) {
  if (is_kind("stall") && is_named(fd)) stall();
  const ssize_t result = syscall(SYS_read, fd, bytes, count);
  if (is_kind("touch") && is_named(fd)) futimens(fd, NULL);
  return result;
}

struct dirent *readdir(DIR *folder) {
  if (is_kind("stall-list") && is_named(dirfd(folder))) stall();
  return REAL(readdir)(folder);
}

int stat(const char *path, struct stat *status) {
  if (is_kind("stall-look") && is_path(path)) stall();
  return REAL(stat)(path, status);
}

int openat(int folder, const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(list, mode_t) : 0;
  va_end(list);
  if (is_kind("stall-open") && is_path(path)) stall();
  return syscall(SYS_openat, folder, path, flags | O_LARGEFILE, mode);
}

ssize_t pread(int fd, void *bytes, size_t count, off_t at) {
  if (is_kind("stall") && is_named(fd)) stall();
  return syscall(SYS_pread64, fd, bytes, count, at);
}

int fsync(int fd) {
  if (is_file(fd) && fault()) return -1;
  return syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to) {
  if (fault()) return -1;
  return REAL(rename)(from, to);
}

int link(const char *from, const char *to) {
  if (fault()) return -1;
  return REAL(link)(from, to);
}

int unlink(const char *path) {
  // Removing needs no space.
  const char *kind = getenv("FAULT");
  if (kind && !strcmp(kind, "kill")) fault();
  return REAL(unlink)(path);
}

static int opened(const char *path, int flags, mode_t mode) {
  if ((flags & O_CREAT) && fault()) return -1;
  return syscall(SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

int open(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(list, mode_t) : 0;
  va_end(list);
  return opened(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(list, mode_t) : 0;
  va_end(list);
  return opened(path, flags, mode);
}

static time_t jump(void) {
  static atomic_long looks;
  const char *kind = getenv("FAULT");
  if (!kind || strcmp(kind, "clock")) return 0;
  return (atomic_fetch_add(&looks, 1) % 3 - 1) * 86400 * 30;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  const int result = syscall(SYS_clock_gettime, clock, now);
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) now->tv_sec += jump();
  const char *kind = getenv("FAULT");
  if (clock == CLOCK_MONOTONIC && kind && !strncmp(kind, "stall", 5)) {
    const long long fast = 40 * (now->tv_sec * 1000000000LL + now->tv_nsec);
    *now = (struct timespec){.tv_sec = fast / 1000000000, .tv_nsec = fast % 1000000000};
  }
  return result;
}

int gettimeofday(struct timeval *now, void *zone) {
  const int result = syscall(SYS_gettimeofday, now, zone);
  now->tv_sec += jump();
  return result;
}

time_t time(time_t *where) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (where) *where = now.tv_sec;
  return now.tv_sec;
}

__attribute__((destructor)) static void report(void) {
  const char *path = getenv("FAULT_COUNT");
  FILE *file = path ? fopen(path, "w") : NULL;
  if (file) {
    fprintf(file, "%ld\n", atomic_load(&calls));
    fclose(file);
  }
}
