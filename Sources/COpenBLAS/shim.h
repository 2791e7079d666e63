#include <cblas.h>

// LAPACK's eigenvalues of a symmetric matrix, which OpenBLAS holds but declares only in a package of its own.
void dsyevd_(char *jobz, char *uplo, int *n, double *a, int *lda, double *w, double *work, int *lwork, int *iwork, int *liwork,
             int *info);

// The Cholesky factor of a symmetric positive definite matrix, and what solves by it.
void dpotrf_(char *uplo, int *n, double *a, int *lda, int *info);
void dpotrs_(char *uplo, int *n, int *nrhs, double *a, int *lda, double *b, int *ldb, int *info);
