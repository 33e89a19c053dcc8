# Writes the texts of the files MIGRATIONS, named NNNN_name.sql, into the C++ file OUTPUT.

set(rows "")
foreach(file IN LISTS MIGRATIONS)
  cmake_path(GET file STEM stem)
  if(NOT stem MATCHES "^([0-9][0-9][0-9][0-9])_[a-z0-9_]+$")
    message(FATAL_ERROR "${file} is not named NNNN_name.sql")
  endif()
  # A number with leading zeros would be octal.
  string(REGEX REPLACE "^0+" "" number ${CMAKE_MATCH_1})
  file(READ ${file} text)
  string(APPEND rows "    {${number}, \"${stem}\", R\"migration(${text})migration\"},\n")
endforeach()

file(WRITE ${OUTPUT} "#include \"storage/migrate.h\"

namespace godwit::storage {
namespace {

constexpr Migration kRealm[] = {
${rows}};

}  // namespace

std::span<const Migration> RealmMigrations() { return kRealm; }

}  // namespace godwit::storage
")
