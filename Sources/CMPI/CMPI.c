#ifdef PMAE_MPI
#include "include/CMPI.h"

// Debian's alternative for several implementations is a folder of its own.
#if __has_include(<mpi.h>)
#include <mpi.h>
#else
#include <mpi/mpi.h>
#endif
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// Messages that pass operations have a communicator of their own, so that none is taken for a part of one.
static MPI_Comm all_ranks = MPI_COMM_NULL, messages = MPI_COMM_NULL, exchanges = MPI_COMM_NULL;
static MPI_Request request = MPI_REQUEST_NULL;
static int is_started = 0, rank_count = 0;

// Exchanges that are underway, from the oldest on, in a ring. An MPI library moves their bytes while it is called: whoever computes asks
// after them as often as a gradient is final. A thread that did nothing but ask was not faster (pmae-cluster(7)).
static struct {
  MPI_Request request;
  // Of each rank: values, and where they begin here and there. The library reads them until the exchange is done.
  int *counts;
  int error;
} underway[CMPI_EXCHANGES];
static unsigned oldest = 0, begun = 0;

static int failed(int code, char *text) {
  if (code == MPI_SUCCESS) return 0;
  char reason[MPI_MAX_ERROR_STRING];
  int length = 0;
  if (MPI_Error_string(code, reason, &length) != MPI_SUCCESS) snprintf(reason, sizeof reason, "error %d", code);
  snprintf(text, CMPI_TEXT_SIZE, "%s", reason);
  return 1;
}

static int too_many(size_t count, char *text) {
  if (count <= INT_MAX) return 0;
  snprintf(text, CMPI_TEXT_SIZE, "%zu values in one message: MPI counts to %d", count, INT_MAX);
  return 1;
}

// Looks at the exchanges that are underway, which moves them.
static void move(void) {
  for (unsigned i = oldest; i != begun; i++) {
    int done = 0;
    const int code = MPI_Test(&underway[i % CMPI_EXCHANGES].request, &done, MPI_STATUS_IGNORE);
    if (code != MPI_SUCCESS) underway[i % CMPI_EXCHANGES].error = code;
  }
}

int cmpi_start(int *rank, int *count, char *host, char *text) {
  // Threads that compute do not call MPI.
  int provided = 0;
  if (failed(MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided), text)) return 1;
  is_started = 1;
  if (failed(MPI_Comm_dup(MPI_COMM_WORLD, &all_ranks), text) || failed(MPI_Comm_dup(MPI_COMM_WORLD, &messages), text) ||
      failed(MPI_Comm_dup(MPI_COMM_WORLD, &exchanges), text))
    return 1;
  // Otherwise an error ends the process, with a message that says nothing of the run.
  MPI_Comm_set_errhandler(all_ranks, MPI_ERRORS_RETURN);
  MPI_Comm_set_errhandler(messages, MPI_ERRORS_RETURN);
  MPI_Comm_set_errhandler(exchanges, MPI_ERRORS_RETURN);
  MPI_Comm_rank(all_ranks, rank);
  MPI_Comm_size(all_ranks, count);
  rank_count = *count;
  if (gethostname(host, CMPI_TEXT_SIZE) != 0) snprintf(host, CMPI_TEXT_SIZE, "unknown");
  host[CMPI_TEXT_SIZE - 1] = 0;
  return 0;
}

void cmpi_end(void) {
  if (!is_started) return;
  is_started = 0;
  MPI_Finalize();
}

void cmpi_abort(int status) {
  if (is_started) MPI_Abort(MPI_COMM_WORLD, status);
}

int cmpi_gather(const void *mine, size_t bytes, void *all, char *text) {
  if (too_many(bytes, text)) return 1;
  return failed(MPI_Iallgather(mine, (int)bytes, MPI_BYTE, all, (int)bytes, MPI_BYTE, all_ranks, &request), text);
}

int cmpi_swap(const void *mine, size_t bytes, int other, void *theirs, char *text) {
  // Theirs until the operation is done; only one is underway.
  static int *counts = NULL;
  if (too_many(bytes, text)) return 1;
  if (!counts) counts = calloc(2 * (size_t)rank_count, sizeof *counts);
  if (!counts) return snprintf(text, CMPI_TEXT_SIZE, "no memory") > 0;
  const int *starts = counts + rank_count;
  for (int i = 0; i < rank_count; i++) counts[i] = i == other ? (int)bytes : 0;
  return failed(
      MPI_Ialltoallv(mine, counts, starts, MPI_BYTE, theirs, counts, starts, MPI_BYTE, all_ranks, &request), text);
}

int cmpi_gather_in_place(float *all, size_t values, char *text) {
  if (too_many(values, text)) return 1;
  return failed(
      MPI_Iallgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all, (int)values, MPI_FLOAT, all_ranks, &request), text);
}

int cmpi_broadcast(void *bytes, size_t count, char *text) {
  if (too_many(count, text)) return 1;
  return failed(MPI_Ibcast(bytes, (int)count, MPI_BYTE, 0, all_ranks, &request), text);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// Looks for so many seconds whether something is done. `look` returns 1 if it is, 0 if not, -1 where it failed.
static int wait_for(int (*look)(char *text), double seconds, char *text) {
  const double start = now();
  for (;;) {
    const int state = look(text);
    if (state != 0) return state;
    const double waited = now() - start;
    if (waited >= seconds) return 0;
    // A short wait is spun through; in a long one the core belongs to whoever computes.
    if (waited < 2e-4) {
      sched_yield();
    } else {
      const struct timespec pause = {0, 50000};
      nanosleep(&pause, NULL);
    }
  }
}

static int operation_done(char *text) {
  int done = 0;
  if (failed(MPI_Test(&request, &done, MPI_STATUS_IGNORE), text)) return -1;
  return done;
}

static int exchange_done(char *text) {
  move();
  const int place = (int)(oldest % CMPI_EXCHANGES);
  const int code = underway[place].error;
  const int is_done = underway[place].request == MPI_REQUEST_NULL;
  if (is_done && code == MPI_SUCCESS) oldest++;
  if (failed(code, text)) return -1;
  return is_done;
}

int cmpi_wait(double seconds, char *text) { return wait_for(operation_done, seconds, text); }

int cmpi_wait_exchange(double seconds, char *text) { return wait_for(exchange_done, seconds, text); }

static int begin_exchange(const void *from, size_t stride, size_t values, MPI_Datatype type, void *to, char *text) {
  const int ranks = rank_count, place = (int)(begun % CMPI_EXCHANGES);
  if (too_many(stride * (size_t)ranks, text)) return 1;
  if (begun - oldest == CMPI_EXCHANGES) return snprintf(text, CMPI_TEXT_SIZE, "too many exchanges are underway") > 0;
  int *counts = underway[place].counts;
  if (!counts) counts = underway[place].counts = malloc(3 * (size_t)ranks * sizeof *counts);
  if (!counts) return snprintf(text, CMPI_TEXT_SIZE, "no memory") > 0;
  int *starts = counts + ranks, *places = starts + ranks;
  for (int i = 0; i < ranks; i++) {
    counts[i] = (int)values;
    starts[i] = (int)(stride * (size_t)i);
    places[i] = (int)(values * (size_t)i);
  }
  underway[place].error = MPI_SUCCESS;
  const int code = MPI_Ialltoallv(from, counts, starts, type, to, counts, places, type, exchanges, &underway[place].request);
  if (code == MPI_SUCCESS) begun++;
  return failed(code, text);
}

int cmpi_begin_exchange(const float *from, size_t stride, size_t values, float *to, char *text) {
  return begin_exchange(from, stride, values, MPI_FLOAT, to, text);
}

int cmpi_begin_exchange16(const uint16_t *from, size_t values, uint16_t *to, char *text) {
  return begin_exchange(from, values, values, MPI_UINT16_T, to, text);
}

void cmpi_tell(int rank, const void *bytes, size_t count) {
  // Never freed: who sends it is about to end, and the message must lie still until it has gone.
  static char kept[8][CMPI_TEXT_SIZE];
  static int used = 0;
  char *copy = kept[used++ % 8];
  count = count > CMPI_TEXT_SIZE ? CMPI_TEXT_SIZE : count;
  memcpy(copy, bytes, count);
  MPI_Request sent = MPI_REQUEST_NULL;
  if (MPI_Isend(copy, (int)count, MPI_BYTE, rank, 0, messages, &sent) == MPI_SUCCESS) MPI_Request_free(&sent);
}

size_t cmpi_hear(int *rank, void *bytes) {
  int is_there = 0, count = 0;
  MPI_Status status;
  if (MPI_Iprobe(MPI_ANY_SOURCE, 0, messages, &is_there, &status) != MPI_SUCCESS || !is_there) return 0;
  if (MPI_Get_count(&status, MPI_BYTE, &count) != MPI_SUCCESS || count < 0 || count > CMPI_TEXT_SIZE) return 0;
  *rank = status.MPI_SOURCE;
  if (MPI_Recv(bytes, count, MPI_BYTE, status.MPI_SOURCE, 0, messages, MPI_STATUS_IGNORE) != MPI_SUCCESS) return 0;
  return (size_t)count;
}
#endif
