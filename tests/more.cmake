# The library that tests/system puts before libc: a disk that is slow or full when a test says so. Never with a sanitizer in it, it is preloaded.
foreach(library slow_disk dying wrong_clock)
  add_library(${library} MODULE ${CMAKE_CURRENT_LIST_DIR}/system/${library}.c)
  set_target_properties(${library} PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
  target_compile_options(${library} PRIVATE -fno-sanitize=all)
  target_link_options(${library} PRIVATE -fno-sanitize=all)
endforeach()

# The test of the loadable extension loads the one that was built.
if(TARGET unit_store_test_extension)
  target_compile_definitions(unit_store_test_extension PRIVATE EXTENSION="$<TARGET_FILE:ecogov_extension>")
  add_dependencies(unit_store_test_extension ecogov_extension)
endif()
