# ntpl_layer(NAME SOURCES file... [DEPENDS layer...])
#
# One static library per layer. DEPENDS names the layers below; a call upwards does not link.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)

function(ntpl_layer name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(ntpl_${name} STATIC ${arg_SOURCES})
  target_include_directories(ntpl_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include
                                          PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_compile_definitions(ntpl_${name} PUBLIC _GNU_SOURCE)
  # 64-bit time and files everywhere, also on 32-bit ARM. As options, since these come after the
  # compiler flags of the environment: the camera SDK's undefine both.
  target_compile_options(ntpl_${name} PUBLIC -U_TIME_BITS -D_TIME_BITS=64
                                             -U_FILE_OFFSET_BITS -D_FILE_OFFSET_BITS=64)
  target_link_libraries(ntpl_${name} PRIVATE ntpl_warnings ntpl_hardening)
  foreach(below IN LISTS arg_DEPENDS)
    target_link_libraries(ntpl_${name} PUBLIC ntpl_${below})
  endforeach()
endfunction()
