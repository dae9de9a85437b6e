# conf/sources.d/presets/*.yaml as C: `preset: NAME` works wherever the configuration stands, installed or not.
file(GLOB presets CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/conf/sources.d/presets/*.yaml)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${presets})
set(texts "")
set(rows "")
set(number 0)
foreach(preset ${presets})
  get_filename_component(name ${preset} NAME_WE)
  file(READ ${preset} bytes HEX)
  string(LENGTH "${bytes}" length)
  math(EXPR length "${length} / 2")
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(APPEND texts "static const unsigned char text_${number}[] = {${bytes}};\n")
  string(APPEND rows "    {\"${name}\", (const char *)text_${number}, ${length}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/presets.c @ONLY CONTENT "/* Written by cmake/presets.cmake. */
#include <conf/presets.h>

@texts@
const struct eg_preset_text eg_preset_texts[] = {
@rows@    {0, 0, 0},
};
")
target_sources(ecogov_conf PRIVATE ${CMAKE_BINARY_DIR}/presets.c)
