#pragma once

namespace ocs::cli {

// Starts this program anew with huge pages for the memory that it allocates, where the kernel gives them to whoever asks
// (/sys/kernel/mm/transparent_hugepage/enabled: madvise). glibc asks only if the environment variable GLIBC_TUNABLES says so when a program
// starts. Tensors are large and short-lived, and much of the system's time goes into small pages otherwise (docs/adr/0024-huge-pages.md).
// Returns where nothing is to be won, where GLIBC_TUNABLES speaks of huge pages already (glibc.malloc.hugetlb=0 keeps them off), and
// where the program cannot be started anew. Behind it the environment is as it was, for child processes.
void ask_for_huge_pages(char** argv);

}  // namespace ocs::cli
