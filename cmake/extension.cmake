# ecogov.so, which other programs load into their SQLite: the store's reading side once more, position independent, calling the SQLite
# it is loaded into (host.h stands before every file). What of these files it does not need, the linker leaves out. Never with a
# sanitizer in it: the program that loads it has none.
file(GLOB extension_sources CONFIGURE_DEPENDS daemon/store/extension/*.c daemon/store/*.c daemon/base/*.c daemon/pipeline/rollup.c daemon/pipeline/pace.c
     daemon/index/*.c drivers/kit/*.c)
add_library(ecogov_extension MODULE ${extension_sources})
set_target_properties(ecogov_extension PROPERTIES PREFIX "" OUTPUT_NAME ecogov LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
target_include_directories(ecogov_extension PRIVATE include daemon ${SQLITE_INCLUDE_DIRS})
target_compile_options(ecogov_extension PRIVATE -include ${CMAKE_SOURCE_DIR}/daemon/store/extension/host.h -fvisibility=hidden
                       -ffunction-sections -fdata-sections -fno-sanitize=all)
target_link_options(ecogov_extension PRIVATE -fno-sanitize=all -Wl,--gc-sections -Wl,--no-undefined)
# whatever the store links for its own work, but SQLite
get_target_property(store_links ecogov_store LINK_LIBRARIES)
list(FILTER store_links INCLUDE REGEX "^PkgConfig::")
list(REMOVE_ITEM store_links PkgConfig::SQLITE)
target_link_libraries(ecogov_extension PRIVATE ${store_links} m)
