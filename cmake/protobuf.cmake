# godwit_proto_library(NAME target IMPORT_DIR dir PROTOS file... [GRPC] [DEPENDS target...])
#
# Makes a static library, also known as godwit::<target without "godwit_">, from .proto files whose
# names are relative to `dir`; GRPC adds the service stubs. DEPENDS names other proto libraries that
# the files import. Generated code is compiled without debug information, warnings or sanitizers,
# and its headers are SYSTEM includes: #include "godwit/identity/v1/identity.pb.h".

find_program(GODWIT_PROTOC protoc REQUIRED)
find_program(GODWIT_GRPC_PLUGIN grpc_cpp_plugin REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(protobuf REQUIRED IMPORTED_TARGET protobuf>=3.21)

# gRPC by one call of pkg-config, each library named once: pkg_check_modules looks for all of its
# several hundred repeated libraries one by one, which takes twenty seconds.
execute_process(
  COMMAND ${PKG_CONFIG_EXECUTABLE} --libs --print-errors "grpc++ >= 1.51"
  OUTPUT_VARIABLE grpcpp_libraries OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(grpcpp_libraries UNIX_COMMAND "${grpcpp_libraries}")
list(REMOVE_DUPLICATES grpcpp_libraries)
add_library(godwit_grpcpp INTERFACE)
add_library(godwit::grpcpp ALIAS godwit_grpcpp)
target_link_libraries(godwit_grpcpp INTERFACE -Wl,--as-needed ${grpcpp_libraries})

function(godwit_proto_library)
  cmake_parse_arguments(PARSE_ARGV 0 arg "GRPC" "NAME;IMPORT_DIR" "PROTOS;DEPENDS")
  get_filename_component(import_dir ${arg_IMPORT_DIR} ABSOLUTE)
  set(out_dir ${CMAKE_CURRENT_BINARY_DIR}/${arg_NAME})
  file(MAKE_DIRECTORY ${out_dir})

  set(import_flags -I${import_dir})
  foreach(dependency IN LISTS arg_DEPENDS)
    get_target_property(dependency_dir ${dependency} GODWIT_IMPORT_DIR)
    list(APPEND import_flags -I${dependency_dir})
  endforeach()

  set(sources "")
  foreach(proto IN LISTS arg_PROTOS)
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    set(outputs ${out_dir}/${stem}.pb.cc ${out_dir}/${stem}.pb.h)
    set(flags --cpp_out=${out_dir})
    if(arg_GRPC)
      list(APPEND outputs ${out_dir}/${stem}.grpc.pb.cc ${out_dir}/${stem}.grpc.pb.h)
      list(APPEND flags --grpc_out=${out_dir}
        --plugin=protoc-gen-grpc=${GODWIT_GRPC_PLUGIN})
    endif()
    add_custom_command(
      OUTPUT ${outputs}
      COMMAND ${GODWIT_PROTOC} ${import_flags} ${flags} ${proto}
      DEPENDS ${import_dir}/${proto} ${GODWIT_PROTOC}
      COMMENT "protoc ${proto}"
      VERBATIM)
    list(APPEND sources ${outputs})
  endforeach()

  add_library(${arg_NAME} STATIC ${sources})
  string(REGEX REPLACE "^godwit_" "" alias ${arg_NAME})
  add_library(godwit::${alias} ALIAS ${arg_NAME})
  set_target_properties(${arg_NAME} PROPERTIES GODWIT_IMPORT_DIR "${import_dir}")
  target_compile_features(${arg_NAME} PUBLIC cxx_std_20)
  target_compile_options(${arg_NAME} PRIVATE -g0 -w)
  target_include_directories(${arg_NAME} SYSTEM PUBLIC ${out_dir})
  target_link_libraries(${arg_NAME} PUBLIC PkgConfig::protobuf ${arg_DEPENDS})
  if(arg_GRPC)
    target_link_libraries(${arg_NAME} PUBLIC godwit::grpcpp)
  endif()
endfunction()
