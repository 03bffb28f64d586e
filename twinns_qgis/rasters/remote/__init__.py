"""Files on servers, of which only the ranges of bytes are read that are needed.

GDAL asks for bytes here and not over the network itself: so redirects, hosts, secrets and the bytes that were read are
ours to watch. Only the file itself is ever opened, as GeoTIFF or JPEG 2000: none that GDAL would look for beside it,
and none that it might refer to.

`files` says what such a file is, `opening` opens it for rasterio, `requesting` asks its server, `cache` keeps what was
read. `hosts` says who may be asked, which `connections` check; `credentials` and the keys of `buckets` are what servers
want to see.
"""
