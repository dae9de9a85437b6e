# Runs with `cmake --install`, where the prefix and DESTDIR are known for good. Puts configuration where it does not overwrite
# what somebody changed, and the unit with the paths of this installation. Wants the ECOGOV_ variables of install.cmake.
string(REGEX REPLACE "/+$" "" prefix "${CMAKE_INSTALL_PREFIX}")

function(ecogov_below_prefix given out)
  if(IS_ABSOLUTE "${given}")
    set(${out} "${given}" PARENT_SCOPE)
  else()
    set(${out} "${prefix}/${given}" PARENT_SCOPE)
  endif()
endfunction()

ecogov_below_prefix("${ECOGOV_SBINDIR_GIVEN}" ECOGOV_SBINDIR)
ecogov_below_prefix("${ECOGOV_SHAREDIR_GIVEN}" sharedir)
# The daemon looks in /etc/ecogov, systemd's ConfigurationDirectory= means /etc/ecogov: so also for /usr/local.
if(prefix MATCHES "^(|/usr|/usr/local)$" AND NOT IS_ABSOLUTE "${ECOGOV_SYSCONFDIR_GIVEN}")
  set(sysconfdir /etc)
else()
  ecogov_below_prefix("${ECOGOV_SYSCONFDIR_GIVEN}" sysconfdir)
endif()
set(ECOGOV_CONFDIR ${sysconfdir}/ecogov)

function(ecogov_same one other out)
  execute_process(COMMAND ${CMAKE_COMMAND} -E compare_files "${one}" "${other}" RESULT_VARIABLE code OUTPUT_QUIET ERROR_QUIET)
  if(code EQUAL 0)
    set(${out} TRUE PARENT_SCOPE)
  else()
    set(${out} FALSE PARENT_SCOPE)
  endif()
endfunction()

# source: what is shipped now. shipped: where the last installation left what it shipped. target: the administrator's.
function(ecogov_install_conf source shipped target fresh)
  set(there "$ENV{DESTDIR}${target}")
  set(before "$ENV{DESTDIR}${shipped}")
  if(EXISTS "${there}")
    ecogov_same("${there}" "${source}" up_to_date)
    if(up_to_date)
      return()
    endif()
    ecogov_same("${there}" "${before}" untouched)
    if(NOT untouched)
      message(STATUS "Kept, it was changed here: ${there} (as shipped: ${shipped})")
      return()
    endif()
  elseif(EXISTS "${before}" AND NOT fresh)
    message(STATUS "Left out, it was removed here: ${there} (as shipped: ${shipped})")
    return()
  endif()
  get_filename_component(folder "${target}" DIRECTORY)
  file(INSTALL "${source}" DESTINATION "${folder}" TYPE FILE
       PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
endfunction()

set(fresh TRUE)
if(EXISTS "$ENV{DESTDIR}${ECOGOV_CONFDIR}")
  set(fresh FALSE)
endif()
file(GLOB_RECURSE files RELATIVE ${ECOGOV_SOURCE_DIR}/conf ${ECOGOV_SOURCE_DIR}/conf/*.yaml ${ECOGOV_SOURCE_DIR}/conf/*.yaml.example
     ${ECOGOV_SOURCE_DIR}/conf/templates/*.txt)
foreach(file ${files})
  ecogov_install_conf(${ECOGOV_SOURCE_DIR}/conf/${file} ${sharedir}/ecogov/conf/${file} ${ECOGOV_CONFDIR}/${file} ${fresh})
endforeach()
ecogov_install_conf(${ECOGOV_SOURCE_DIR}/systemd/mosquitto/ecogov.conf ${sharedir}/ecogov/mosquitto/ecogov.conf
                    ${sysconfdir}/mosquitto/conf.d/ecogov.conf ${fresh})

configure_file(${ECOGOV_SOURCE_DIR}/systemd/ecogovd.service.in ${ECOGOV_BINARY_DIR}/systemd/ecogovd.service @ONLY)
file(INSTALL ${ECOGOV_BINARY_DIR}/systemd/ecogovd.service DESTINATION ${prefix}/lib/systemd/system TYPE FILE
     PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)

if("$ENV{DESTDIR}" STREQUAL "")
  message(STATUS "Next: systemd-sysusers && systemctl daemon-reload && systemctl restart mosquitto && systemctl enable --now ecogovd")
endif()
