# Target ocs_warnings: the warnings and code generation flags that every target of ours gets.
add_library(ocs_warnings INTERFACE)
target_compile_options(ocs_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow
  -Wold-style-cast -Wcast-qual -Wdouble-promotion -Wformat=2
  # The same bytes for every compiler flag set: no contraction to fused multiply-add, never -ffast-math.
  -ffp-contract=off)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(ocs_warnings INTERFACE -Wuseless-cast -Wduplicated-cond -Wlogical-op)
  if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # False alarm on "text" + std::string (GCC bug 105651, mended in 13).
    target_compile_options(ocs_warnings INTERFACE -Wno-restrict)
  endif()
endif()
if(OCS_WERROR)
  target_compile_options(ocs_warnings INTERFACE -Werror)
endif()
if(OCS_SANITIZE)
  target_compile_options(ocs_warnings INTERFACE -fsanitize=${OCS_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_definitions(ocs_warnings INTERFACE _GLIBCXX_ASSERTIONS)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Instrumented code hides from GCC what an engaged std::optional implies.
    target_compile_options(ocs_warnings INTERFACE -Wno-maybe-uninitialized)
  endif()
  string(REPLACE "fuzzer-no-link," "" ocs_link_sanitizers "${OCS_SANITIZE}")
  target_link_options(ocs_warnings INTERFACE -fsanitize=${ocs_link_sanitizers})
endif()
