# godwit_fuzz(name LIBS target...)
#
# Makes the libFuzzer binary <name>_fuzz from <name>_fuzz.cc in the caller's folder; only clang can,
# other compilers skip it. The starting corpus is the folder corpus/<name>, where there is one.
#
# Global property: GODWIT_FUZZERS lists the binaries.

function(godwit_fuzz name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LIBS")
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    return()
  endif()
  add_executable(${name}_fuzz ${name}_fuzz.cc)
  target_include_directories(${name}_fuzz PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_options(${name}_fuzz PRIVATE -fsanitize=fuzzer-no-link)
  target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  target_link_libraries(${name}_fuzz PRIVATE ${arg_LIBS} godwit::options)
  set_property(GLOBAL APPEND PROPERTY GODWIT_FUZZERS ${name}_fuzz)
endfunction()
