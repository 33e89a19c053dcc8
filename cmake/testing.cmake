# godwit_test(name SOURCES file... LIBS target... [LABELS nightly] [POSTGRES] [TIMEOUT seconds])
#
# Makes one GoogleTest binary and registers each of its tests with ctest under its plain name, so
# that `ctest -R Row26` finds TEST(Attack, Row26...). The label is the folder under tests/, with
# ".nightly" after it for tests that only `./check --tier nightly` runs. POSTGRES tests find the one
# cluster of the ctest run by GODWIT_TEST_PG_FILE (tests/support/postgres_cluster.sh).
#
# Global properties: GODWIT_TESTS_<folder> lists the test binaries of tests/<folder>.

find_package(GTest REQUIRED)
find_package(rapidcheck REQUIRED)
include(GoogleTest)

set(GODWIT_PG_DIR ${PROJECT_BINARY_DIR}/pg)

function(godwit_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "POSTGRES" "TIMEOUT" "SOURCES;LIBS;LABELS")
  cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR BASE_DIRECTORY ${PROJECT_SOURCE_DIR}/tests
    OUTPUT_VARIABLE folder)
  string(REGEX REPLACE "/.*" "" folder ${folder})

  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE
    ${arg_LIBS} godwit::options godwit::test_support GTest::gmock GTest::gtest_main rapidcheck
    rapidcheck_gtest)
  set_property(GLOBAL APPEND PROPERTY GODWIT_TESTS_${folder} ${name})

  # One word, since gtest_discover_tests passes no list on as one property.
  string(JOIN "." label ${folder} ${arg_LABELS})
  set(timeout 300)
  if("nightly" IN_LIST arg_LABELS)
    set(timeout 7200)
  endif()
  if(arg_TIMEOUT)
    set(timeout ${arg_TIMEOUT})
  endif()
  set(properties LABELS ${label} TIMEOUT ${timeout})
  if(arg_POSTGRES)
    list(APPEND properties FIXTURES_REQUIRED postgres
      ENVIRONMENT GODWIT_TEST_PG_FILE=${GODWIT_PG_DIR}/conninfo)
  endif()
  gtest_discover_tests(${name}
    DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES ${properties})
endfunction()
