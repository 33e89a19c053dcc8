# What every target of ours is compiled with (godwit::options), the linker and the compiler cache.
#
#   GODWIT_WERROR    warnings are errors; on where the environment variable CI is set
#   GODWIT_SANITIZE  a list for -fsanitize=, set by the presets asan and tsan

set(werror_default OFF)
if(DEFINED ENV{CI})
  set(werror_default ON)
endif()
option(GODWIT_WERROR "Treat compiler warnings as errors" ${werror_default})
set(GODWIT_SANITIZE "" CACHE STRING "Sanitizers of godwit::options, as in -fsanitize=")

find_program(GODWIT_CCACHE ccache)
if(GODWIT_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${GODWIT_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${GODWIT_CCACHE})
endif()

find_program(GODWIT_MOLD mold)
if(GODWIT_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# Every symbol is bound at the start, and the tables are read-only from then on. Bound at the first
# call, the loader saves the vector registers to the stack, with whatever key was just copied.
add_link_options(-Wl,-z,relro,-z,now)

add_library(godwit_options INTERFACE)
add_library(godwit::options ALIAS godwit_options)
target_compile_features(godwit_options INTERFACE cxx_std_20)
# clang counts -Wsign-conversion to -Wconversion, g++ does not: one rule for both.
target_compile_options(godwit_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow
  $<$<CXX_COMPILER_ID:Clang>:-Wno-sign-conversion>
  $<$<BOOL:${GODWIT_WERROR}>:-Werror>)
if(GODWIT_SANITIZE)
  target_compile_options(godwit_options INTERFACE
    -fsanitize=${GODWIT_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(godwit_options INTERFACE -fsanitize=${GODWIT_SANITIZE})
endif()
