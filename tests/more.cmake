# The library that tests/system puts before libc: a disk that is slow or full when a test says so. Never with a sanitizer in it, it is preloaded.
add_library(slow_disk MODULE ${CMAKE_CURRENT_LIST_DIR}/system/slow_disk.c)
set_target_properties(slow_disk PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
target_compile_options(slow_disk PRIVATE -fno-sanitize=all)
target_link_options(slow_disk PRIVATE -fno-sanitize=all)

# The test of the loadable extension loads the one that was built.
if(TARGET unit_store_test_extension)
  target_compile_definitions(unit_store_test_extension PRIVATE EXTENSION="$<TARGET_FILE:ecogov_extension>")
  add_dependencies(unit_store_test_extension ecogov_extension)
endif()
