# Run by ctest; stops at the first step that fails.
set(work ${BUILD}/install_test)
set(prefix ${work}/prefix)
file(REMOVE_RECURSE ${work})

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix})
# Moved once, so that nothing can lean on the folder that it was installed into.
file(RENAME ${prefix} ${work}/moved)
run(${CMAKE_COMMAND} -S ${SOURCE}/examples/find_package -B ${work}/example -G ${GENERATOR} -DCMAKE_PREFIX_PATH=${work}/moved
  -DCMAKE_CXX_COMPILER=${COMPILER})
run(${CMAKE_COMMAND} --build ${work}/example)
run(${work}/example/uses_ocs ${SOURCE}/data/resnet20_cifar10.onnx)
run(${CMAKE_COMMAND} -E env --unset=LD_LIBRARY_PATH ${work}/moved/bin/ocs --version)
