"""What the user gives, and above which folder names tell nothing."""

from pathlib import Path

import pytest

from twinns_qgis.series.inputs import Inputs


@pytest.mark.parametrize(
    ("folder", "root"),
    [
        ("project_20240101", "project_20240101"),
        ("S2A_31UES_20180305_0_L2A", "."),
        ("31UES", "."),
        ("data/2018", "data"),
        ("data/31UES/2018/03", "data"),
        ("data/year=2018", "data"),
    ],
)
def test_the_name_of_the_folder_counts_where_it_is_that_of_a_product_or_a_date(tmp_path, folder, root):
    (tmp_path / folder).mkdir(parents=True)
    assert Inputs(folder=tmp_path / folder).root == (tmp_path / root)


def test_layers_of_several_folders_have_in_common_what_tells_nothing():
    assert Inputs((Path("/a/2018/3/B02.tif"), Path("/a/2018/4/B02.tif"))).root == Path("/a")
    assert Inputs((Path("/a/x/B02.tif"), Path("/a/y/B02.tif"))).root == Path("/a")
    assert Inputs((Path("/a/20180305/B02.tif"), Path("/a/20180305/B03.tif"))).root is None
