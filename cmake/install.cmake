# Installation: the program with ONNX Runtime where it finds it, the library (static archives and headers) and a package for
# find_package(ocs) that offers ocs::ocs, the whole library, and one target a layer (ocs::core, ...).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

get_property(ocs_layers GLOBAL PROPERTY OCS_LAYERS)
list(REMOVE_ITEM ocs_layers ocs_cli)  # the program's own: no part of the library, and CLI11 is no dependency of its users
add_library(ocs_library INTERFACE)
target_link_libraries(ocs_library INTERFACE ${ocs_layers})
add_library(ocs::ocs ALIAS ocs_library)
set_target_properties(ocs_library PROPERTIES EXPORT_NAME ocs)
foreach(layer IN LISTS ocs_layers)
  string(REGEX REPLACE "^ocs_" "" name ${layer})
  set_target_properties(${layer} PROPERTIES EXPORT_NAME ${name})
endforeach()

# A runtime that lies where the linker looks anyway is the distribution's and stays there; any other travels along.
set(ocs_runtime_is_ours ON)
if(ONNXRUNTIME_LIBRARY_DIR IN_LIST CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES)
  set(ocs_runtime_is_ours OFF)
endif()
option(OCS_INSTALL_ONNXRUNTIME "Install ONNX Runtime beside the program" ${ocs_runtime_is_ours})
if(OCS_INSTALL_ONNXRUNTIME)
  file(REAL_PATH ${ONNXRUNTIME_LIBRARY} ocs_runtime_file)
  install(FILES ${ocs_runtime_file} DESTINATION ${CMAKE_INSTALL_LIBDIR} RENAME libonnxruntime.so.1)
  install(FILES ${ONNXRUNTIME_LIBRARY_DIR}/../LICENSE ${ONNXRUNTIME_LIBRARY_DIR}/../ThirdPartyNotices.txt
    DESTINATION ${CMAKE_INSTALL_DOCDIR}/onnxruntime OPTIONAL)
endif()

file(RELATIVE_PATH ocs_bin_to_lib ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
set_target_properties(ocs PROPERTIES INSTALL_RPATH "$ORIGIN/${ocs_bin_to_lib}")
install(TARGETS ocs RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

install(TARGETS ocs_library ${ocs_layers} EXPORT ocs_targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY src/ocs DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

set(ocs_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/ocs)
configure_package_config_file(cmake/ocsConfig.cmake.in ${PROJECT_BINARY_DIR}/ocsConfig.cmake
  INSTALL_DESTINATION ${ocs_package_dir} PATH_VARS CMAKE_INSTALL_LIBDIR NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/ocsConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(EXPORT ocs_targets NAMESPACE ocs:: DESTINATION ${ocs_package_dir})
install(FILES cmake/dependencies.cmake ${PROJECT_BINARY_DIR}/ocsConfig.cmake ${PROJECT_BINARY_DIR}/ocsConfigVersion.cmake
  DESTINATION ${ocs_package_dir})
