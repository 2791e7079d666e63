// MPI's constants are macros that Swift cannot see, and its errors are codes that need a call to become text. This shim has the few
// operations that a run needs as plain functions. Without PMAE_MPI it is empty.
//
// One thread calls them. At most one operation is underway: a function starts it, and cmpi_wait looks whether it is done. Beside it, some
// exchanges may be. The memory that one was given stays its own until it is done.
#ifndef PMAE_CMPI_H
#define PMAE_CMPI_H

#include <stddef.h>
#include <stdint.h>

enum { CMPI_TEXT_SIZE = 512, CMPI_EXCHANGES = 16 };

/// Joins the other processes that the launcher started. Returns 0, or 1 with the reason in text.
int cmpi_start(int *rank, int *count, char *host, char *text);

/// Leaves them. All do.
void cmpi_end(void);

/// Ends all processes.
void cmpi_abort(int status);

/// Of every rank so many bytes, in the order of ranks.
int cmpi_gather(const void *mine, size_t bytes, void *all, char *text);

/// Begins an exchange: block i of `from` goes to rank i, which finds it as block r of `to`, where r is the rank that it came from. Blocks
/// have so many float32 values. In `from` they begin so many values apart, in `to` they follow each other. The bytes move while
/// the caller looks after it (cmpi_wait_exchange). At most CMPI_EXCHANGES are underway.
int cmpi_begin_exchange(const float *from, size_t stride, size_t values, float *to, char *text);

/// The same of 16-bit values, whose blocks follow each other.
int cmpi_begin_exchange16(const uint16_t *from, size_t values, uint16_t *to, char *text);

/// Looks for so many seconds whether the oldest exchange is done. Returns 1 if it is: then the next one is the oldest. Returns 0 if not, -1
/// with the reason in text where it failed.
int cmpi_wait_exchange(double seconds, char *text);

/// So many bytes go to another rank, and as many come from it. All ranks call this: each has one that has it, or itself.
int cmpi_swap(const void *mine, size_t bytes, int other, void *theirs, char *text);

/// Of every rank so many float32 values, in the order of ranks; this rank's are in their place in `all` already.
int cmpi_gather_in_place(float *all, size_t values, char *text);

/// The bytes of rank 0 for all.
int cmpi_broadcast(void *bytes, size_t count, char *text);

/// Looks for so many seconds whether the operation is done. Returns 1 if it is, 0 if not, −1 with the reason in text where it failed.
int cmpi_wait(double seconds, char *text);

/// Sends a message past all operations. It is small: at most CMPI_TEXT_SIZE bytes.
void cmpi_tell(int rank, const void *bytes, size_t count);

/// A message that came. Returns its bytes, at most CMPI_TEXT_SIZE, and who sent it; 0 where there is none.
size_t cmpi_hear(int *rank, void *bytes);

#endif
