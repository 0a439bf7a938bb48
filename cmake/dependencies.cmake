# What the library uses and is not ours, from the distribution's packages or wherever CMAKE_PREFIX_PATH points (docs/adr/0007).
# Also installed, and read by find_package(ocs).
include_guard(DIRECTORY)
find_package(Threads REQUIRED)
find_package(TBB REQUIRED)
find_package(Eigen3 REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(Protobuf REQUIRED)
find_package(JPEG REQUIRED)
find_package(PNG REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)

# libonnx ships no CMake package on Debian: ONNX_ROOT or CMAKE_PREFIX_PATH may point elsewhere.
find_path(ONNX_INCLUDE_DIR onnx/onnx_pb.h HINTS ${ONNX_ROOT} ENV ONNX_ROOT PATH_SUFFIXES include REQUIRED)
find_library(ONNX_PROTO_LIBRARY onnx_proto HINTS ${ONNX_ROOT} ENV ONNX_ROOT PATH_SUFFIXES lib REQUIRED)
add_library(onnx_proto INTERFACE IMPORTED)
target_include_directories(onnx_proto SYSTEM INTERFACE ${ONNX_INCLUDE_DIR})
target_compile_definitions(onnx_proto INTERFACE ONNX_ML=1 ONNX_NAMESPACE=onnx)
target_link_libraries(onnx_proto INTERFACE ${ONNX_PROTO_LIBRARY} protobuf::libprotobuf)

# Highway ships a pkg-config file only on some distributions.
find_path(HWY_INCLUDE_DIR hwy/highway.h REQUIRED)
find_library(HWY_LIBRARY hwy REQUIRED)
add_library(hwy_headers INTERFACE IMPORTED)
target_include_directories(hwy_headers SYSTEM INTERFACE ${HWY_INCLUDE_DIR})
target_link_libraries(hwy_headers INTERFACE ${HWY_LIBRARY})
