# What gets installed, and where Debian expects it. What an administrator may change, and what depends on the prefix, is
# decided at installation time: cmake/install-late.cmake.
install(TARGETS ecogovd RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(TARGETS ecogovctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS ecogov_extension LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/ecogov)
install(DIRECTORY include/ecogov DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h" PATTERN "*.def")

# Before share/ecogov is replaced: what stands there is what was shipped last time.
install(CODE "
set(ECOGOV_SOURCE_DIR \"${CMAKE_SOURCE_DIR}\")
set(ECOGOV_BINARY_DIR \"${CMAKE_BINARY_DIR}\")
set(ECOGOV_SBINDIR_GIVEN \"${CMAKE_INSTALL_SBINDIR}\")
set(ECOGOV_SYSCONFDIR_GIVEN \"${CMAKE_INSTALL_SYSCONFDIR}\")
set(ECOGOV_SHAREDIR_GIVEN \"${CMAKE_INSTALL_DATADIR}\")")
install(SCRIPT cmake/install-late.cmake)
install(DIRECTORY conf DESTINATION ${CMAKE_INSTALL_DATADIR}/ecogov)
install(DIRECTORY systemd/mosquitto DESTINATION ${CMAKE_INSTALL_DATADIR}/ecogov)

install(FILES systemd/sysusers.d/ecogov.conf DESTINATION lib/sysusers.d)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md" PATTERN "man" EXCLUDE)
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)

find_program(ECOGOV_SCDOC scdoc)
find_program(ECOGOV_GZIP gzip)
if(ECOGOV_SCDOC AND ECOGOV_GZIP)
  foreach(page ecogovd.8 ecogovctl.1 ecogov.yaml.5)
    string(REGEX REPLACE ".*\\." "" section ${page})
    set(source ${CMAKE_SOURCE_DIR}/docs/man/${page}.scd)
    set(made ${CMAKE_BINARY_DIR}/man/${page}.gz)
    add_custom_command(OUTPUT ${made} DEPENDS ${source} VERBATIM
                       COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/man
                       COMMAND sh -ec "\"$1\" <\"$3\" >\"$4.part\" && \"$2\" -9n <\"$4.part\" >\"$4\" && rm \"$4.part\"" sh
                               ${ECOGOV_SCDOC} ${ECOGOV_GZIP} ${source} ${made})
    list(APPEND man_pages ${made})
    install(FILES ${made} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
  endforeach()
  add_custom_target(man ALL DEPENDS ${man_pages})
else()
  message(STATUS "scdoc or gzip is missing: no man pages")
endif()
